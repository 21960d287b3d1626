"""Digests: the same things give the same text, anything else another one."""

import datetime as dt
import hashlib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from pipelines.lineage import (
    RunIdentity,
    canonical_json,
    file_digest,
    json_digest,
    tree_digest,
)

IDENTITY = RunIdentity(
    source="sample",
    session_date=dt.date(2022, 12, 28),
    data_snapshot="a",
    feature_hash="b",
    model_name="lstm",
    model_version=1,
    mlflow_run_id="c",
    config_hash="d",
    history_hash="h",
    code_version="e",
)


def test_a_file_digest_is_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"smart" * 500_000)
    assert file_digest(path) == hashlib.sha256(b"smart" * 500_000).hexdigest()


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_json({"b": 1, "a": dt.date(2022, 1, 3)}) == '{"a":"2022-01-03","b":1}'
    assert json_digest({"a": 1, "b": 2}) == json_digest({"b": 2, "a": 1})


def test_a_value_without_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no canonical JSON form"):
        canonical_json({1, 2})


@pytest.mark.parametrize("field", [field.name for field in fields(RunIdentity)])
def test_every_part_of_the_identity_changes_the_run_id(field: str) -> None:
    value = getattr(IDENTITY, field)
    other = value + (dt.timedelta(days=1) if field == "session_date" else type(value)(1))
    assert replace(IDENTITY, **{field: other}).run_id != IDENTITY.run_id


def test_equal_identities_have_one_run_id() -> None:
    assert replace(IDENTITY).run_id == IDENTITY.run_id
    assert len(IDENTITY.run_id) == 32


def test_a_tree_digest_sees_names_and_bytes_and_nothing_generated(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "a.py").write_text("one")

    def digest() -> str:
        return tree_digest(tmp_path, ["code"], {".py"})

    first = digest()
    (folder / "__pycache__" / "a.py").write_text("generated")
    (folder / "notes.txt").write_text("not code")
    assert digest() == first
    (folder / "a.py").write_text("two")
    second = digest()
    assert second != first
    (folder / "a.py").rename(folder / "b.py")
    assert digest() not in (first, second)
