"""The folder of the build being made."""

from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.warehouse.record import RECORD
from pipelines.warehouse.workspace import fresh_workspace, taking_name


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


def build_made_anew(settings: Settings) -> tuple[Path, Path]:
    """Return a finished build and a workspace that is to replace it."""
    path = settings.warehouse / "builds" / "2026-11-20_0_0"
    path.mkdir(parents=True)
    (path / RECORD).write_text("old")
    return path, fresh_workspace(settings)


def test_a_build_made_anew_replaces_the_old_one_once_it_has_its_record(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path, workspace = build_made_anew(settings)
    with taking_name(settings, workspace, path):
        (path / RECORD).write_text("new")
    assert (path / RECORD).read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_build_comes_back_where_the_new_one_gets_no_record(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path, workspace = build_made_anew(settings)
    with pytest.raises(OSError, match="disk"), taking_name(settings, workspace, path):
        raise OSError("the disk is full")
    assert (path / RECORD).read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_build_comes_back_after_a_kill_between_name_and_record(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path, workspace = build_made_anew(settings)
    path.replace(path.with_name(f".tmp-replaced-{path.name}"))
    workspace.replace(path)
    fresh_workspace(settings)
    assert (path / RECORD).read_text() == "old"
