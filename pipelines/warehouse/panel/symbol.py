"""Rows of symbols: their bars beside everything that is computed from them."""

from collections.abc import Mapping, Sequence

from models.panel import ANCHORED, SYMBOL_FEATURES
from pipelines.warehouse.panel.bars import Floats
from pipelines.warehouse.panel.batch import COLUMNS, Batch
from pipelines.warehouse.panel.rows import Array, Rows

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
    bars = {name: batch.of(number, name)[start:] for name in COLUMNS}
    return assembled(code, bars, computed)


def assembled(
    codes: int | Sequence[int], bars: Mapping[str, Array], computed: Mapping[str, Floats]
) -> Rows:
    """Return rows whose ranks are still to be filled.

    Parameters
    ----------
    codes : of the symbols, one for each row or one for all.
    bars : ``COLUMNS`` by name.
    computed : features of these bars by name.
    """
    rows = Rows(len(bars["session_date"]))
    rows["source"][:] = 0
    rows["symbol"][:] = codes
    for name in COLUMNS:
        rows[name][:] = bars[name]
    for name in _COMPUTED:
        rows[name][:] = computed[name]
    return rows
