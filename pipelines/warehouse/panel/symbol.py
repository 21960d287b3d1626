"""Rows of one symbol: its bars beside everything that is computed from them."""

from collections.abc import Mapping

from models.panel import ANCHORED, SYMBOL_FEATURES
from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.batch import COLUMNS, Batch
from pipelines.warehouse.panel.rows import Rows

_COMPUTED = tuple(column.name for column in (*ANCHORED, *SYMBOL_FEATURES))


def rows_of(
    batch: Batch, number: int, code: int, computed: Mapping[str, Floats], start: int = 0
) -> Rows:
    """Return a symbol's rows from its bar ``start`` on; their ranks are still to be filled.

    Parameters
    ----------
    number, code : place of the symbol in the batch, and its code.
    computed : ``indicators.features`` of the same bars.
    """
    bars = batch.starts[number + 1] - batch.starts[number]
    rows = Rows(int(bars) - start)
    rows["source"][:] = 0
    rows["symbol"][:] = code
    for name in COLUMNS:
        rows[name][:] = batch.of(number, name)[start:]
    for name in _COMPUTED:
        rows[name][:] = computed[name]
    return rows
