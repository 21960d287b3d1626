"""Champion by evidence: which model serves, and the comparisons that say so.

A learned model serves only as far as its validation record proves that it beats what needs no
learning. What proves nothing costs nothing: the best baseline serves then.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.choice.validation_record import Incumbent
from ml.errors import TrainingError
from ml.evaluation import LEVEL, compare, scored_by_all
from ml.forecasters import BASELINES, CANDIDATES
from ml.panel import date_of
from ml.results import Choice
from ml.rolling import Floats
from ml.scores import Evidence
from ml.splits import LEAST_SCORED_SESSIONS
from models.vocabulary import ModelRole


@dataclass(frozen=True)
class ValidationForecasts:
    """What all models of a training forecast in their validation ranges, of one horizon.

    Attributes
    ----------
    sessions : dates, ascending, shape (n,), unit day.
    positions : of the sessions on the exchange's axis, (n,).
    symbols : names.
    horizon_sessions : how far ahead.
    outcomes : (n, symbols), realised log returns; NaN where not known.
    means : by model, (n, symbols), log return; NaN where there is no forecast.
    """

    sessions: NDArray[np.datetime64]
    positions: NDArray[np.int64]
    symbols: tuple[str, ...]
    horizon_sessions: int
    outcomes: Floats
    means: Mapping[str, Floats]


def choose(validation: ValidationForecasts, incumbent: Incumbent | None = None) -> Choice:
    """Choose the model that serves.

    The candidate with the lowest validation RMSE is the challenger. It becomes champion if it beats
    every baseline, and the champion in service where there is one, on the sessions and symbols that
    both have forecast: one-sided Diebold-Mariano tests on each session's mean squared error, their
    p values times the number of candidates (Bonferroni, since the best of several was picked) below
    5 %. A new version of the champion's own name and method is its renewal and need not beat it.
    Otherwise the champion stays if it still beats every baseline, by its renewal where that can be;
    otherwise the best baseline serves.

    An incumbent that shares fewer than 63 sessions with this record cannot be compared and is left
    out of account.

    Raises
    ------
    TrainingError
        There is nothing that all models have forecast.
    """
    contest = _Contest(validation)
    if incumbent is not None and contest.sessions_shared(incumbent) < LEAST_SCORED_SESSIONS:
        incumbent = None
    challenger = contest.best(CANDIDATES)
    attack = contest.against_baselines(challenger)
    is_renewal = incumbent is not None and incumbent.is_renewed_by(challenger)
    if incumbent is not None and not is_renewal:
        attack.append(contest.against_incumbent(challenger, incumbent))
    if _all_passed(attack):
        verb = "is renewed as" if is_renewal else "becomes"
        reason = f"{challenger} {verb} champion: {_victory(attack)}"
        return Choice(challenger, ModelRole.CHAMPION, reason, tuple(attack))
    reason = (
        f"{challenger} has the lowest validation error of the candidates, but {_defeat(attack)}"
    )
    if incumbent is None or is_renewal:
        return _best_baseline(contest, reason, attack)
    defence = contest.defence(incumbent)
    holder = defence[0].model_name
    if not _all_passed(defence):
        reason = f"{reason}; the champion in service, {holder}, {_defeat(defence)}"
        return _best_baseline(contest, reason, attack + defence)
    return Choice(
        model_name=incumbent.name,
        role=ModelRole.CHAMPION,
        reason=f"{reason}; so the champion in service stays, {holder}: {_victory(defence)}",
        evidence=tuple(attack + defence),
        kept=not incumbent.same_method,
    )


def _best_baseline(contest: "_Contest", reason: str, evidence: list[Evidence]) -> Choice:
    baseline = contest.best(BASELINES)
    return Choice(
        baseline,
        ModelRole.BASELINE,
        f"{reason}; so the baseline with the lowest validation error serves, {baseline}",
        tuple(evidence),
    )


def _all_passed(evidence: list[Evidence]) -> bool:
    return all(each.passed for each in evidence)


def _victory(evidence: list[Evidence]) -> str:
    hardest = max(evidence, key=lambda each: each.p_value_corrected)
    others = ", ".join(each.against for each in evidence)
    return (
        f"over {hardest.sessions:,} sessions of validation its squared error is lower than that of "
        f"{others}; the hardest to beat is {hardest.against}, p = {hardest.p_value_corrected:.3f} "
        "corrected for the number of candidates"
    )


def _defeat(evidence: list[Evidence]) -> str:
    unbeaten = [each for each in evidence if not each.passed]
    said = ", ".join(f"{each.against} (p = {each.p_value_corrected:.3f})" for each in unbeaten)
    return f"does not beat {said} at the level of {LEVEL:.0%}"


class _Contest:
    """Comparisons on the sessions and symbols that all models of a training have forecast."""

    def __init__(self, validation: ValidationForecasts) -> None:
        self._validation = validation
        where = scored_by_all(validation.outcomes, *validation.means.values())
        self._outcomes = np.where(where, validation.outcomes, np.nan)
        self._candidates = sum(name in validation.means for name in CANDIDATES)

    def best(self, names: Sequence[str]) -> str:
        """Return the model of the lowest RMSE; of equal ones the first, which is the simplest."""
        means = self._validation.means
        errors = {
            name: float(np.nanmean(np.square(self._outcomes - means[name])))
            for name in names
            if name in means
        }
        return min(errors, key=errors.__getitem__)

    def sessions_shared(self, incumbent: Incumbent) -> int:
        """Return how many sessions have forecasts of the incumbent and of all models here."""
        return int(np.isfinite(self._outcomes + self._of(incumbent)).any(axis=1).sum())

    def against_baselines(self, name: str) -> list[Evidence]:
        """Compare a model with every baseline."""
        return self._with_baselines(name, self._validation.means[name])

    def against_incumbent(self, challenger: str, incumbent: Incumbent) -> Evidence:
        """Compare a model with the champion in service."""
        mean = self._validation.means[challenger]
        return self._compare(challenger, mean, incumbent.title, self._of(incumbent))

    def defence(self, incumbent: Incumbent) -> list[Evidence]:
        """Compare the champion in service, by its renewal where there is one, with baselines."""
        if incumbent.same_method and incumbent.name in self._validation.means:
            return self.against_baselines(incumbent.name)
        return self._with_baselines(incumbent.title, self._of(incumbent))

    def _with_baselines(self, name: str, mean: Floats) -> list[Evidence]:
        means = self._validation.means
        return [
            self._compare(name, mean, baseline, means[baseline])
            for baseline in BASELINES
            if baseline in means
        ]

    def _of(self, incumbent: Incumbent) -> Floats:
        validation = self._validation
        return incumbent.record.on(
            validation.sessions, validation.symbols, validation.horizon_sessions
        )

    def _compare(self, name: str, mean: Floats, against: str, other: Floats) -> Evidence:
        validation = self._validation
        found = compare(
            self._outcomes,
            mean,
            other,
            validation.positions,
            validation.horizon_sessions,
            self._candidates,
        )
        if found is None:
            raise TrainingError(
                f"forecasts that {name} and {against} have in common", 0, "there is none",
                "Load more history.",
            )  # fmt: skip
        return Evidence(
            model_name=name,
            against=against,
            horizon_sessions=validation.horizon_sessions,
            from_session_date=self._date(found.first),
            to_session_date=self._date(found.last),
            sessions=found.sessions,
            loss_difference=found.difference,
            statistic=found.statistic,
            p_value=found.p_value,
            p_value_corrected=found.p_value_corrected,
            passed=found.p_value_corrected < LEVEL,
        )

    def _date(self, row: int) -> dt.date:
        return date_of(self._validation.sessions[row])
