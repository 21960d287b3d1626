"""The folder of the build being made."""

from pathlib import Path

from pipelines.settings import Settings
from pipelines.warehouse.publication import fresh_workspace


def test_a_fresh_workspace_takes_the_place_of_unfinished_builds_and_minds_no_stray_file(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path)
    builds = settings.warehouse / "builds"
    (builds / ".tmp-build" / "inputs").mkdir(parents=True)
    (builds / "2026-11-20_0_0").mkdir()
    (builds / ".DS_Store").touch()
    workspace = fresh_workspace(settings)
    assert not any(workspace.iterdir())
    assert {path.name for path in builds.iterdir()} == {workspace.name, ".DS_Store"}
