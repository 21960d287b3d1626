"""Where a run stands in the store."""

from dataclasses import fields

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.errors import RebalanceError
from pipelines.forecast.run import status_of
from pipelines.lineage import RunIdentity
from pipelines.store import tables


def require_status(connection: sa.Connection, identity: RunIdentity) -> RunStatus:
    """Return where a run stands.

    Raises
    ------
    RebalanceError
        The forecast stage has not begun it.
    """
    status = status_of(connection, identity.run_id)
    if status is None:
        model = f"{identity.model_name} {identity.model_version}"
        raise RebalanceError(
            "session",
            identity.session_date,
            f"it has no forecasts of {model} from the present data, settings and code",
            f"Run `smartinvest forecast --session {identity.session_date}` first.",
        )
    return status


def find_run(connection: sa.Connection, run_id: str) -> tuple[RunIdentity, RunStatus]:
    """Return what determines a run of the store, and where it stands.

    Raises
    ------
    RebalanceError
        It is gone: newer forecasts took its place before it was published.
    """
    run = tables["advice_run"]
    row = connection.execute(sa.select(run).where(run.c.run_id == run_id)).mappings().first()
    if row is None:
        raise RebalanceError(
            "run",
            run_id,
            "it is gone: newer forecasts of its session took its place before it was published",
            "Nothing: they start another rebalance.",
        )
    identity = RunIdentity(**{field.name: row[field.name] for field in fields(RunIdentity)})
    return identity, RunStatus(row["status"])
