"""Corporate actions that a source no longer tells of: they are taken back, not forgotten."""

import pyarrow as pa
import pyarrow.compute as pc

from models.lake import ACTIONS
from pipelines.lake.reading import current_versions
from pipelines.lake.rows import canonical
from pipelines.lake.versions import changed_rows, is_among
from pipelines.settings import Settings


def with_withdrawals(settings: Settings, actions: pa.Table, bars: pa.Table) -> pa.Table:
    """Return delivered actions, and with a null amount those that the delivery lacks.

    An action is taken back where the delivery has the bar of its ex-date and not the action. What
    was not asked for, failed or was cut off says nothing about it. Appended, a withdrawal is a
    version known from the moment of the delivery.

    Parameters
    ----------
    actions : stamped rows of ``ACTIONS``: all that the source has beside the bars.
    bars : the delivery's prices; only ``symbol`` and ``session_date`` are looked at.

    Returns
    -------
    Canonical rows, text encoded.
    """
    rows = canonical(actions, ACTIONS)
    symbols = pc.unique(bars["symbol"]).cast(pa.string()).to_pylist()
    stored = current_versions(settings, ACTIONS, symbols)
    stored = canonical(stored.filter(pc.field("amount").is_valid()), ACTIONS)
    if stored.num_rows == 0:
        return rows
    _, is_delivered = changed_rows(stored, rows, ACTIONS)
    missing = stored.filter(pa.array(~is_delivered))
    if missing.num_rows == 0:
        return rows
    taken_back = missing.filter(pa.array(is_among(missing, bars, ("symbol", "session_date"))))
    position = taken_back.schema.get_field_index("amount")
    nothing = pa.nulls(taken_back.num_rows, pa.float64())
    taken_back = taken_back.set_column(position, taken_back.schema.field(position), nothing)
    return canonical(pa.concat_tables([rows, taken_back]), ACTIONS)
