"""A build that was begun leaves a record, unless it was killed."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from build_result_examples import MODEL, SESSION, attempt

from pipelines.build_results import attempts_of
from pipelines.errors import LakeError, WarehouseError
from pipelines.settings import Settings, load_settings
from pipelines.warehouse.recording import recorded


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path / "home")


def test_what_is_known_last_is_kept(settings: Settings) -> None:
    with recorded(settings, attempt()) as recording:
        recording.attempt = attempt(MODEL)
    assert attempts_of(settings, SESSION) == [attempt(MODEL)]


@pytest.mark.parametrize(
    "fail",
    [
        lambda folder: (folder / "missing").read_bytes(),
        lambda folder: duckdb.sql("select missing"),
        lambda folder: pa.array(["x"]).cast(pa.int8()),
    ],
)
def test_an_error_without_a_remedy_gets_one(
    settings: Settings, tmp_path: Path, fail: Callable[[Path], object]
) -> None:
    with pytest.raises(WarehouseError) as raised, recorded(settings, attempt(ended_at=None)):
        fail(tmp_path)
    [kept] = attempts_of(settings, SESSION)
    assert kept.problem == kept.problem_outside_of_dbt == str(raised.value)
    assert kept.ended_at is not None


@pytest.mark.parametrize("error", [LakeError("file", "x", "gone", "Restore it."), KeyError()])
def test_any_other_error_stays_what_it_is(settings: Settings, error: Exception) -> None:
    with pytest.raises(type(error)) as raised, recorded(settings, attempt()):
        raise error
    assert raised.value is error
    [kept] = attempts_of(settings, SESSION)
    assert kept.problem == (str(error) or "KeyError")


def test_a_build_that_was_killed_leaves_no_record(settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt), recorded(settings, attempt()):
        raise KeyboardInterrupt
    assert attempts_of(settings, SESSION) == []
