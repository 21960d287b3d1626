"""Give Airflow its pools, where they are missing: ``python -m pipelines.operate.cluster.pools``.

Run by the service ``airflow-init`` after Airflow's own migration. Airflow's ``pools import`` would
set back the slots that an operator has changed since.
"""

import os
from dataclasses import asdict

import sqlalchemy as sa

from pipelines.operate.pools import POOLS

_ADD = sa.text(
    "INSERT INTO slot_pool (pool, slots, description, include_deferred)"
    " VALUES (:name, :slots, :description, false) ON CONFLICT (pool) DO NOTHING"
)


def main() -> None:
    """Create the pools that are not there."""
    engine = sa.create_engine(os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    with engine.begin() as connection:
        connection.execute(_ADD, [asdict(pool) for pool in POOLS])


if __name__ == "__main__":
    main()
