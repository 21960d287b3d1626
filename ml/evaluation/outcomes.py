"""What became of a period, and what all forecasts of it are judged against."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.comparison import session_means
from ml.evaluation.overlap import Positions
from ml.evaluation.ranks import average_ranks
from ml.evaluation.skill import Mask, confidence, scored_by_all
from ml.panel import Panel
from ml.rolling import Floats


@dataclass(frozen=True)
class Outcomes:
    """Realised returns of one period, the same for all models.

    Attributes
    ----------
    horizons : in sessions.
    positions : (n,) of the sessions forecast from, on the panel's axis, ascending.
    sessions : (n,) their dates, unit day.
    symbols : names.
    log_return : (horizons, n, symbols); realised over the horizon; NaN where not known.
    benchmark : (horizons, n, symbols); the expanding mean's forecast, log return.
    majority : (horizons, n); the commoner sign of all outcomes realised by the session, of all
        symbols and since the panel begins: 1 or -1, and 0 where neither is.
    where : (horizons, n, symbols); which of them count.
    models : how many have forecast; what serves is picked from so many.
    """

    horizons: tuple[int, ...]
    positions: Positions
    sessions: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    log_return: Floats
    benchmark: Floats
    majority: NDArray[np.int64]
    where: Mask
    models: int

    @classmethod
    def of(
        cls,
        panel: Panel,
        positions: Positions,
        horizons: tuple[int, ...],
        benchmark: Floats,
        means: Sequence[Floats],
    ) -> "Outcomes":
        """Take from the panel what became of the sessions at these positions.

        ``benchmark`` and each of ``means``, the forecasts of all models, have the shape
        (horizons, n, symbols). What all of them and the benchmark forecast counts.

        Raises
        ------
        TrainingError
            Of a horizon, that is nothing.
        """
        realised = [panel.forward_log_return(horizon) for horizon in horizons]
        log_return = np.stack([each[positions] for each in realised])
        majority = [
            majority_signs(each, horizon)[positions]
            for each, horizon in zip(realised, horizons, strict=True)
        ]
        by_horizon = zip(log_return, benchmark, *means, strict=True)
        return cls(
            horizons=horizons,
            positions=positions,
            sessions=panel.sessions[positions],
            symbols=panel.symbols,
            log_return=log_return,
            benchmark=benchmark,
            majority=np.stack(majority),
            where=np.stack([scored_by_all(*parts) for parts in by_horizon]),
            models=len(means),
        )

    def confidence(self, means: Floats) -> tuple[float, ...]:
        """Return the weight of each horizon that forecasts, (horizons, n, symbols), have earned."""
        return tuple(
            confidence(
                self.log_return[number],
                means[number],
                self.benchmark[number],
                self.where[number],
                self.positions,
                horizon,
                self.models,
            )
            for number, horizon in enumerate(self.horizons)
        )

    @cached_property
    def by_horizon(self) -> "tuple[HorizonOutcomes, ...]":
        """Outcomes of each horizon, on the sessions that count."""
        return tuple(
            self._horizon(number)
            for number in range(len(self.horizons))
            if self.where[number].any()
        )

    def _horizon(self, number: int) -> "HorizonOutcomes":
        rows = np.flatnonzero(self.where[number].any(axis=1))
        where = self.where[number][rows]
        return HorizonOutcomes(
            number=number,
            horizon_sessions=self.horizons[number],
            rows=rows,
            positions=self.positions[rows],
            sessions=self.sessions[rows],
            where=where,
            log_return=np.where(where, self.log_return[number][rows], 0.0),
            benchmark=np.where(where, self.benchmark[number][rows], 0.0),
            majority=self.majority[number][rows],
        )


@dataclass(frozen=True)
class HorizonOutcomes:
    """Outcomes of one horizon, of the sessions in which anything counts; 0 where it does not.

    ``number`` and ``rows`` say which of the period's horizons and sessions these are.
    """

    number: int
    horizon_sessions: int
    rows: NDArray[np.int64]
    positions: Positions
    sessions: NDArray[np.datetime64]
    where: Mask
    log_return: Floats
    benchmark: Floats
    majority: NDArray[np.int64]

    @cached_property
    def forecasts(self) -> int:
        """How many forecasts count."""
        return int(self.where.sum())

    @cached_property
    def naive_errors(self) -> Floats:
        """Squared errors of the zero forecast, (sessions, symbols)."""
        errors: Floats = np.square(self.log_return)
        return errors

    @cached_property
    def naive_losses(self) -> Floats:
        """Mean squared error of the zero forecast in each session."""
        return session_means(self.naive_errors, self.where)

    @cached_property
    def benchmark_losses(self) -> Floats:
        """Mean squared error of the expanding mean in each session."""
        return session_means(np.square(self.log_return - self.benchmark), self.where)

    @cached_property
    def ranks(self) -> Floats:
        """Ranks of the outcomes in each session; NaN where they do not count."""
        return average_ranks(np.where(self.where, self.log_return, np.nan))

    def of(self, values: Floats) -> Floats:
        """Return values of shape (horizons, n, symbols) at these outcomes; 0 where none counts."""
        return np.where(self.where, values[self.number][self.rows], 0.0)


def majority_signs(outcomes: Floats, horizon_sessions: int) -> NDArray[np.int64]:
    """Return for each session the commoner sign of the outcomes realised by then, (sessions,).

    ``outcomes`` has the shape (sessions, symbols) and is of all sessions from the first on; that of
    a session is realised a horizon later. 0 where both signs are equally common.
    """
    signs = np.where(np.isfinite(outcomes), np.sign(outcomes), 0.0).sum(axis=1)
    known = np.zeros(len(signs))
    known[horizon_sessions:] = np.cumsum(signs)[: len(signs) - horizon_sessions]
    return np.sign(known).astype(np.int64)
