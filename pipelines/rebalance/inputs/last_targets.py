"""The targets that earlier runs left for the accounts."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from models.vocabulary import CASH, RunStatus
from pipelines.rebalance.arrays import Vector
from pipelines.store import tables


@dataclass(frozen=True)
class LastTarget:
    """The target that was last written for an account, by symbol with cash.

    ``weights`` and ``upper_bounds`` are fractions; ``risk_score`` is the one it was made for.
    """

    run_id: str
    risk_score: int | None
    weights: Mapping[str, float]
    upper_bounds: Mapping[str, float]

    def fractions(self, symbols: Sequence[str]) -> Vector:
        """Return the weights of the given symbols and then cash; 0 where it had none."""
        return np.array([self.weights.get(symbol, 0.0) for symbol in (*symbols, CASH)])


def last_targets(connection: sa.Connection, source: str, session: dt.date) -> dict[str, LastTarget]:
    """Return, by account, the targets that hold after the last published session before this one.

    A run of the same session is not history: this run replaces it, as if it had never been.
    """
    run, outcome, allocation = (
        tables[name] for name in ("advice_run", "client_outcome", "target_allocation")
    )
    before = sa.and_(
        run.c.status == RunStatus.PUBLISHED, run.c.source == source, run.c.session_date < session
    )
    previous = (
        sa.select(run.c.run_id).where(before).order_by(run.c.session_date.desc()).limit(1)
    ).scalar_subquery()
    rows = connection.execute(
        sa.select(
            outcome.c.account_id,
            outcome.c.allocation_run_id,
            outcome.c.risk_score,
            allocation.c.symbol,
            allocation.c.weight,
            allocation.c.upper_bound,
        )
        .join(
            allocation,
            sa.and_(
                allocation.c.run_id == outcome.c.allocation_run_id,
                allocation.c.account_id == outcome.c.account_id,
            ),
        )
        .where(outcome.c.run_id == previous)
    )
    found: dict[str, tuple[str, int | None, dict[str, float], dict[str, float]]] = {}
    for row in rows:
        fresh: tuple[str, int | None, dict[str, float], dict[str, float]]
        fresh = (row.allocation_run_id, row.risk_score, {}, {})
        _, _, weights, uppers = found.setdefault(row.account_id, fresh)
        weights[row.symbol] = row.weight
        uppers[row.symbol] = row.upper_bound
    return {account_id: LastTarget(*values) for account_id, values in found.items()}
