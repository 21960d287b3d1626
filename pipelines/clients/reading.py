"""Questions about the clients in the store."""

import sqlalchemy as sa

from models.store_inputs import CLIENT
from pipelines.settings import Settings
from pipelines.store import connect, tables


def count_clients(settings: Settings) -> int:
    """Return how many clients the store holds.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    with connect(settings) as connection:
        query = sa.select(sa.func.count()).select_from(tables[CLIENT.name])
        return connection.execute(query).scalar_one()
