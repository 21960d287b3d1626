"""When a build goes on from an earlier one."""

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest
from ml_examples import feature_table, random_walk
from ml_published import publish_features

from pipelines.errors import WarehouseError
from pipelines.lake import Manifest
from pipelines.settings import load_settings
from pipelines.warehouse import build_for
from pipelines.warehouse.base import is_worth_it, plan
from pipelines.warehouse.changes import CHANGE, Changes, Inputs
from pipelines.warehouse.record import RECORD

SESSION = dt.date(2026, 11, 20)


@pytest.mark.parametrize(
    ("days_back", "rows", "worth"),
    [(0, 4, True), (0, 3, False), (700, 2500, True), (700, 2499, False)],
)
def test_a_base_is_gone_on_from_while_a_fifth_of_its_rows_changes_at_most(
    days_back: int, rows: int, worth: bool
) -> None:
    first = SESSION - dt.timedelta(days=days_back)
    symbols = pa.table([["KO"], [first]], schema=CHANGE)
    assert is_worth_it(rows, Changes(None, symbols), SESSION) is worth


def test_a_build_of_an_earlier_release_is_named_as_such_and_passed_over_in_silence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings({}, home=tmp_path)
    build = publish_features(settings, feature_table(random_walk(sessions=5, symbols=2)))
    record = build.path / RECORD
    content = json.loads(record.read_text())
    del content["session_features"]
    record.write_text(json.dumps(content))
    with pytest.raises(WarehouseError, match=r"another release.* session_features\. Run `.*transf"):
        build_for(settings, build.session_date)
    manifest = Manifest(build.source, build.session_date, build.known_at_cut, ())
    assert plan(settings, Inputs(manifest, {}), "1" * 64).base is None
    assert not caplog.text
