"""The lake for analysts: adjusted prices as of a cut, and SQL that DuckDB prunes by itself."""

import datetime as dt
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import ACTIONS, PRICES
from pipelines.lake.adjustment import Adjustment, adjusted, comparable
from pipelines.lake.catalogue import landed_files
from pipelines.lake.cut import known_at_cut
from pipelines.lake.files import local_copy, visible
from pipelines.lake.reading import read_as_of
from pipelines.lake.summary import SESSION
from pipelines.lake.versions import entity_of
from pipelines.settings import Settings


def prices_as_of(
    settings: Settings,
    symbols: Collection[str],
    session: dt.date,
    known_at: dt.datetime | None = None,
    adjustment: Adjustment = Adjustment.NONE,
) -> pa.Table:
    """Return some symbols' accepted prices as a run of a session sees them.

    Parameters
    ----------
    known_at : versions known later are left out, actions too; the session's cut if None.
    adjustment : in whose terms prices and volumes are. Where there is one, bars without a
        positive close are left out, and those of another basis than their symbol's first.
    """
    known_at = known_at_cut(settings, session) if known_at is None else known_at
    prices = read_as_of(settings, PRICES, session, known_at, symbols=symbols, accepted=True)
    if adjustment is Adjustment.NONE:
        return prices
    actions = read_as_of(settings, ACTIONS, session, known_at, symbols=symbols, accepted=True)
    return adjusted(comparable(prices.filter(pc.field("close") > 0)), actions, adjustment)


def view_sql(
    settings: Settings, table: Table, session: dt.date, known_at: dt.datetime | None = None
) -> str:
    """Return a DuckDB query for a raw dataset as a run of a session sees it.

    Conditions on ``symbol`` skip row groups, and on ``year`` (of prices) whole files. Files of a
    remote lake are copied under the home first.
    """
    known_at = known_at_cut(settings, session) if known_at is None else known_at
    files = visible(landed_files(settings, "raw", table), session, known_at)
    paths = sorted({str(local_copy(settings, file.held_by)) for file in files})
    if not paths:
        nothing = ", ".join(f"null as {name}" for name in table.column_names)
        return f"select {nothing} where false"
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    by_session = f" and {SESSION} <= date '{session}'" if SESSION in table.column_names else ""
    entity = ", ".join(entity_of(table))
    return (
        f"select distinct * from read_parquet([{listed}], hive_partitioning = true)"
        f" where known_at <= timestamptz '{known_at.isoformat()}'{by_session}"
        f" qualify rank() over (partition by {entity} order by known_at desc) = 1"
    )
