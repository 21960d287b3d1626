"""Corporate actions that a source no longer tells of: they are taken back, not forgotten."""

import datetime as dt
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from models.lake import ACTIONS
from pipelines.lake.parquet import canonical
from pipelines.lake.reading import current_versions
from pipelines.lake.versions import changed_rows
from pipelines.settings import Settings


def with_withdrawals(
    settings: Settings,
    delivered: pa.Table,
    symbols: Collection[str],
    first: dt.date,
    last: dt.date,
) -> pa.Table:
    """Return delivered actions, and with a null amount those that the delivery lacks.

    Appended, the latter are versions known from the moment of the delivery.

    Parameters
    ----------
    delivered : stamped rows of ``ACTIONS``: all that the source has of the symbols between the
        two days, both included. A symbol that could not be fetched must not be among them.

    Returns
    -------
    Canonical rows, text encoded.
    """
    rows = canonical(delivered, ACTIONS)
    stored = current_versions(settings, ACTIONS, symbols)
    within = (pc.field("session_date") >= first) & (pc.field("session_date") <= last)
    stored = canonical(stored.filter(within & pc.field("amount").is_valid()), ACTIONS)
    if stored.num_rows == 0:
        return rows
    _, is_delivered = changed_rows(stored, rows, ACTIONS)
    missing = stored.filter(pa.array(~is_delivered))
    position = missing.schema.get_field_index("amount")
    nothing = pa.nulls(missing.num_rows, pa.float64())
    missing = missing.set_column(position, missing.schema.field(position), nothing)
    return canonical(pa.concat_tables([rows, missing]), ACTIONS)
