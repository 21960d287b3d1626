"""`smartinvest status` says how old each source's data is, also before anything is published."""

import datetime as dt

import pytest
from warehouse_inputs import SESSION

from pipelines.errors import StoreError
from pipelines.operate.summary import print_status
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings


def test_status_counts_how_many_sessions_each_source_is_behind(
    small_warehouse: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    now = available_at(session_after(SESSION, 3)) + dt.timedelta(minutes=1)
    with pytest.raises(StoreError, match="nothing is published"):
        print_status(small_warehouse, now)
    lines = capsys.readouterr().out.splitlines()
    [line] = [line for line in lines if line.startswith("sample")]
    assert line.split()[:4] == ["sample", str(SESSION), str(SESSION), "3"]
    assert line.endswith("when somebody brings them")
