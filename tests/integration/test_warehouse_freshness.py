"""dbt's source freshness is measured as of a build's cut, not of today."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from warehouse_inputs import SESSION, append, make_home

from models.lake import MACRO
from pipelines.lake import arrow_schema, build_manifest
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse.snapshot import snapshot_clients
from pipelines.warehouse.source_freshness import source_freshness


def macro_known(settings: Settings, *moments: dt.datetime) -> None:
    rows = [
        {
            "source": "sample",
            "series_id": "UNRATE",
            "observation_date": moment.date().replace(day=1),
            "value": 3.5,
            "known_at": moment,
            "known_at_basis": "vintage",
            "ingest_session": SESSION,
        }
        for moment in moments
    ]
    append(settings, MACRO, pa.Table.from_pylist(rows, arrow_schema(MACRO)))


@pytest.mark.long
def test_a_source_is_late_by_what_the_build_knew_and_one_that_never_came_is_not(
    tmp_path: Path,
) -> None:
    settings = make_home(tmp_path / "home")
    cut = available_at(SESSION)
    macro_known(settings, cut - dt.timedelta(days=46), cut + dt.timedelta(days=1))
    settings.warehouse.mkdir()
    manifest = build_manifest(settings, SESSION, snapshot_clients(settings, SESSION))
    assert manifest.known_at_cut == cut

    found = {one.source: one for one in source_freshness(settings, manifest)}
    assert {source: one.status for source, one in found.items()} == {
        "lake.prices": "pass",
        "lake.macro": "error",
        "lake.actions": "never delivered",
    }
    assert found["lake.prices"].newest_known_at == cut
    assert found["lake.macro"].age == dt.timedelta(days=46)
    assert found["lake.macro"].error_after == dt.timedelta(days=45)
    assert list(settings.warehouse.iterdir()) == []
