r"""Conformal intervals that follow realised outcomes, so that coverage holds when markets shift.

A *score* is an outcome less the forecast, in units of the model's own standard deviation. Lower and
upper tail are apart, each to be missed with probability a. The end at session t lies at

.. math:: d_t = q_t + \theta_t, \qquad \theta \leftarrow \theta + \eta (m_s - a)

stdevs from the forecast. q is the tail's quantile of the scores realised so far, of all symbols; a
session weighs half of what one 504 sessions later does (Barber, Candes, Ramdas and Tibshirani 2023,
"Conformal prediction beyond exchangeability", Annals of Statistics 51(2)). m is the share of
symbols that missed the end *issued* at session s, known a horizon later. That is adaptive conformal
inference (Gibbs and Candes 2021, NeurIPS 34) with the end itself in place of its level: the
proportional term of conformal PID control (Angelopoulos, Candes and Tibshirani 2023, NeurIPS 36).
The misses beyond a, summed up, are the movement of theta over eta; so their mean goes to zero with
time, whatever the outcomes are. ``docs/decisions/forecasts.md`` says why this form.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.rolling import Floats
from models.vocabulary import INTERVAL_LEVELS

HALF_LIFE_SESSIONS = 504
STEP = 0.1
"""How far an end moves when all symbols miss it in a session, in stdevs."""

LARGEST_SCORE = 16.0
"""An end further out than so many stdevs is none."""

BIN = 1 / 32
BINS = round(2 * LARGEST_SCORE / BIN)

TAILS = np.array([[(1.0 - level) / 2] * 2 for level in INTERVAL_LEVELS])
"""What each end is to miss, (levels, 2): lower and upper end."""

_DECAY = 0.5 ** (1 / HALF_LIFE_SESSIONS)


@dataclass(frozen=True)
class Issued:
    """Ends of one session's intervals whose outcomes have not been taken in.

    Attributes
    ----------
    age_sessions : how many sessions ago they were issued.
    ends : (levels, 2), stdevs below and above the forecast; infinite where there is none.
    scores : (symbols,), what became of the session; None where it is yet to be found.
    """

    age_sessions: int
    ends: Floats
    scores: Floats | None = None


@dataclass(frozen=True)
class ConformalState:
    """What a path of sessions has left behind, of one horizon.

    Attributes
    ----------
    horizon_sessions : an outcome is taken in so many sessions after its forecast.
    weights : (bins,), of the scores realised so far, in sessions.
    offsets : (levels, 2); theta, stdevs.
    issued : ends not yet judged, oldest first; the last are those of the path's last session.
    """

    horizon_sessions: int
    weights: Floats
    offsets: Floats
    issued: tuple[Issued, ...] = ()

    @classmethod
    def start(cls, horizon_sessions: int) -> "ConformalState":
        """Return the state before any session."""
        return cls(horizon_sessions, np.zeros(BINS), np.zeros(TAILS.shape))

    def follow(
        self, scores: Floats, positions: NDArray[np.int64] | None = None
    ) -> tuple[Floats, "ConformalState"]:
        """Issue ends for sessions in order of time, each from what was realised by then.

        Parameters
        ----------
        scores : (sessions, symbols); those of a session are looked at a horizon later. NaN is
            unknown.
        positions : (sessions,) on the exchange's axis, ascending; without them the sessions are
            consecutive. The first one follows the state's last session.

        Returns
        -------
        ends : (sessions, levels, 2), stdevs below and above the forecast.
        state : after the last session.
        """
        steps = np.ones(len(scores), np.int64)
        if positions is not None:
            steps[1:] = np.diff(positions)
        path = _Path(self)
        ends = np.empty((len(scores), *TAILS.shape))
        for row, step in enumerate(steps):
            ends[row] = path.issue(scores[row], int(step))
        return ends, path.state()

    def with_scores(self, scores: Floats) -> "ConformalState":
        """Return the state knowing what became of its issued ends, (issued, symbols)."""
        found = zip(self.issued, scores, strict=True)
        return replace(self, issued=tuple(replace(each, scores=row) for each, row in found))

    @property
    def sessions_known(self) -> float:
        """How many sessions' outcomes the ends rest on; old ones count in part."""
        return float(self.weights.sum())

    @property
    def lacks_outcomes(self) -> bool:
        """Whether an end is infinite because too few outcomes are known."""
        return bool(np.isinf(tail_quantiles(self.weights)).any())

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON can hold it; scores are left out, as the market keeps them."""
        used = np.flatnonzero(self.weights)
        first, last = (int(used[0]), int(used[-1])) if len(used) else (0, -1)
        return {
            "horizon_sessions": self.horizon_sessions,
            "first_bin": first,
            "weights": self.weights[first : last + 1].tolist(),
            "offsets": self.offsets.tolist(),
            "issued": [
                {"age_sessions": each.age_sessions, "ends": _without_infinity(each.ends)}
                for each in self.issued
            ],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ConformalState":
        """Read what :meth:`to_json` returned."""
        weights = np.zeros(BINS)
        first = content["first_bin"]
        weights[first : first + len(content["weights"])] = content["weights"]
        issued = tuple(
            Issued(each["age_sessions"], _with_infinity(each["ends"])) for each in content["issued"]
        )
        return cls(content["horizon_sessions"], weights, np.array(content["offsets"]), issued)


class _Path:
    """A state under way; its clock shows 0 at the state's last session."""

    def __init__(self, state: ConformalState) -> None:
        self._horizon = state.horizon_sessions
        self._weights = state.weights.copy()
        self._offsets = state.offsets.copy()
        self._quantiles = tail_quantiles(self._weights)
        self._clock = 0
        self._issued = deque((-each.age_sessions, each.ends, each.scores) for each in state.issued)

    def state(self) -> ConformalState:
        issued = (Issued(self._clock - at, ends, scores) for at, ends, scores in self._issued)
        return ConformalState(self._horizon, self._weights, self._offsets, tuple(issued))

    def issue(self, scores: Floats, steps: int) -> Floats:
        """Take in what is realised by a session some steps later, and issue its ends."""
        self._clock += steps
        realised = self._clock - self._horizon
        while self._issued and self._issued[0][0] <= realised:
            self._take_in(*self._issued.popleft()[1:])
        self._quantiles = tail_quantiles(self._weights)
        ends = self._quantiles + self._offsets
        # An interval holds its forecast, and a wider one the narrower.
        ends = np.maximum.accumulate(np.maximum(ends, 0.0), axis=0)
        ends[ends >= LARGEST_SCORE] = np.inf
        self._issued.append((self._clock, ends, scores))
        return ends

    def _take_in(self, ends: Floats, scores: Floats | None) -> None:
        if scores is None:
            raise ValueError("scores of issued ends are not there; give them by with_scores")
        known = scores[np.isfinite(scores)]
        if not len(known):
            return
        self._learn(ends, known)
        bins = np.clip((known + LARGEST_SCORE) / BIN, 0, BINS - 1).astype(np.int64)
        self._weights *= _DECAY
        self._weights += np.bincount(bins, minlength=BINS) / len(known)

    def _learn(self, ends: Floats, scores: Floats) -> None:
        """Move each end by how its misses differ from what it is to miss."""
        missed = np.stack(
            [
                np.count_nonzero(side > ends[:, number, None], axis=1) / len(scores)
                for number, side in enumerate((-scores, scores))
            ],
            axis=1,
        )
        floors = np.zeros_like(ends)
        floors[1:] = ends[:-1]
        # Ends that stood on their floor could not be drawn in any further, and those that were
        # infinite for want of outcomes say nothing: neither is to pull the offsets down. Those
        # that outcomes have outrun are to come back.
        outrun = np.isfinite(self._quantiles) & (self._quantiles + self._offsets >= LARGEST_SCORE)
        held = (ends <= floors) | (np.isinf(ends) & ~outrun)
        moves = STEP * (missed - TAILS)
        self._offsets += np.where(held & (moves < 0), 0.0, moves)


def tail_quantiles(weights: Floats) -> Floats:
    """Return how far out each tail begins, (levels, 2), in stdevs below and above the forecast.

    Infinite where there are fewer sessions than the rank of the quantile needs, 1 / a - 1: as in
    split conformal prediction, with sessions counted, since symbols of one are not independent.
    """
    sessions = weights.sum()
    quantiles = np.full(TAILS.shape, np.inf)
    for side, ordered in enumerate((weights, weights[::-1])):
        running = np.cumsum(ordered)
        for level, tail in enumerate(TAILS[:, side]):
            if sessions < 1 / tail - 1:
                continue
            target = tail * sessions
            place = min(int(np.searchsorted(running, target)), BINS - 1)
            before = running[place] - ordered[place]
            share = (target - before) / ordered[place] if ordered[place] > 0 else 0.0
            quantiles[level, side] = LARGEST_SCORE - BIN * (place + min(max(share, 0.0), 1.0))
    return quantiles


def _without_infinity(ends: Floats) -> list[list[float | None]]:
    return [[end if np.isfinite(end) else None for end in pair] for pair in ends.tolist()]


def _with_infinity(ends: list[list[float | None]]) -> Floats:
    return np.array([[np.inf if end is None else end for end in pair] for pair in ends])
