"""A store holds the advice of one market data source."""

import sqlalchemy as sa

from models.vocabulary import Source
from pipelines.errors import StoreError
from pipelines.store.schema import tables

ONE_HOME_EACH = "Give each source its own SMARTINVEST_HOME and SMARTINVEST_STORE_URL."


def require_runs_of(connection: sa.Connection, source: Source | str) -> None:
    """Check that no run in the store advises on another source.

    The ``current_*`` views, ``instrument`` and ``market_price`` do not tell sources apart.

    Raises
    ------
    StoreError
        There is such a run.
    """
    run = tables["advice_run"]
    query = sa.select(run.c.source).where(run.c.source != source).distinct().order_by(run.c.source)
    others: list[str] = list(connection.execute(query).scalars())
    if others:
        raise StoreError(
            "source",
            source,
            f"the store holds advice made from {', '.join(others)}, and its current_* views and "
            "prices cannot tell sources apart",
            ONE_HOME_EACH,
        )
