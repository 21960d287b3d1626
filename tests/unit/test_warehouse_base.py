"""When a build goes on from an earlier one."""

import datetime as dt

import pyarrow as pa
import pytest

from pipelines.warehouse.base import is_worth_it
from pipelines.warehouse.changes import CHANGE, Changes

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
