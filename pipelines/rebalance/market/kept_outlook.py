"""The outlook of a run in the store, so that whoever advises its accounts has the same bits.

Processors of another kind may take other steps through the linear algebra behind risk and returns,
and end with other last digits. Whoever estimates first for a run keeps what came out; everybody
else reads it, also one who goes on with a run that was killed.
"""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import sqlalchemy as sa

from models.store_runs import RUN_OUTLOOK
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.solver.problems import Risk
from pipelines.store import tables, utc_now


def find_outlook(connection: sa.Connection, run_id: str) -> Outlook | None:
    """Return the outlook that is kept for a run, or None where none is."""
    kept = tables[RUN_OUTLOOK.name]
    text: str | None = connection.execute(
        sa.select(kept.c.outlook).where(kept.c.run_id == run_id)
    ).scalar()
    return None if text is None else _of_text(text)


def keep_outlook(connection: sa.Connection, run_id: str, outlook: Outlook) -> Outlook:
    """Keep an outlook for a run, unless one is; return the one that is.

    The caller's transaction is the only one that writes, so that no other comes between.
    """
    if found := find_outlook(connection, run_id):
        return found
    text = _as_text(outlook)
    row = {"run_id": run_id, "outlook": text, "estimated_at": utc_now()}
    connection.execute(tables[RUN_OUTLOOK.name].insert().values(row))
    return _of_text(text)


def forget_outlook(connection: sa.Connection, run_id: str) -> None:
    """Remove the outlook of a run whose accounts are all advised."""
    kept = tables[RUN_OUTLOOK.name]
    connection.execute(kept.delete().where(kept.c.run_id == run_id))


def _as_text(outlook: Outlook) -> str:
    """Return JSON; the shortest text of a float gives back its very bits."""
    return json.dumps(asdict(outlook), default=_as_list, allow_nan=False, sort_keys=True)


def _as_list(array: np.ndarray[Any, Any]) -> list[Any]:
    values: list[Any] = array.tolist()
    return values


def _of_text(text: str) -> Outlook:
    values = json.loads(text)
    numbers = {
        name: np.array(value, dtype=np.float64)
        for name, value in values.items()
        if isinstance(value, list)
    }
    return Outlook(
        reference_volatility=values["reference_volatility"],
        long_run=_risk(values["long_run"]),
        today=_risk(values["today"]),
        **numbers,
    )


def _risk(values: dict[str, Any]) -> Risk:
    return Risk(
        covariance=np.array(values["covariance"], dtype=np.float64),
        class_of=np.array(values["class_of"], dtype=np.int64),
        classes=values["classes"],
        is_risky=np.array(values["is_risky"], dtype=np.bool_),
    )
