"""Where a run stands in the store."""

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.errors import RebalanceError
from pipelines.forecast.run import status_of
from pipelines.lineage import RunIdentity


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
