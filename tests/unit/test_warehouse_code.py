"""Which code a warehouse build is of."""

from pathlib import Path

import pytest

from pipelines.lineage import REPOSITORY
from pipelines.warehouse import code


@pytest.mark.parametrize("name", ["pipelines/macro_series.csv", "pipelines/sessions.py"])
def test_what_decides_on_a_build_outside_of_its_folders_makes_another_build(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("macro_series.csv", "macro_series.py", "sessions.py"):
        copy = tmp_path / "pipelines" / file
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((REPOSITORY / "pipelines" / file).read_bytes())
    monkeypatch.setattr(code, "REPOSITORY", tmp_path)
    before = code.code_digest.__wrapped__()
    with (tmp_path / name).open("a") as changed:
        changed.write("\n")
    assert code.code_digest.__wrapped__() != before
