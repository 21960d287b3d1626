"""When a new training is due, and the sentence that says why."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_AGE_SESSIONS = 63
"""A training serves for a quarter of a year."""

REST_SESSIONS = 21
"""So long after a training nothing but a change of the code asks for another: its own forecasts
are not realised before, and what it was made to mend still fills the year that is looked at."""

WINDOW_SESSIONS = 252
"""Realised sessions that are looked at, the last ones."""

LEAST_SESSIONS = 63
"""With fewer of them nothing is concluded."""

SKILL_LEVEL = 0.01
"""One-sided p value below which what served has lost against the expanding mean."""

DRIFTED_SHARE = 0.25
"""With more than this share of the features drifted, the model knows another world."""


@dataclass(frozen=True)
class InService:
    """What serves before the session that is checked.

    Attributes
    ----------
    age_sessions : since the last training, whether its models serve or earlier ones do.
    same_method : whether a training now would have the same plan and code.
    """

    training_run_id: str
    model_name: str
    age_sessions: int
    same_method: bool


@dataclass(frozen=True)
class Realised:
    """What became of the forecasts that served, over the last year of realised sessions.

    Attributes
    ----------
    sessions : how many.
    rmse_to_naive : None where nothing moved.
    skill_p_value : one-sided, that it is no worse than the expanding mean; None if it can't be
        said.
    coverage_80 : share inside the 80 % interval.
    band_80 : between which shares it lies by chance, if intervals hold; None if it can't be said.
    """

    sessions: int
    rmse_to_naive: float | None
    skill_p_value: float | None
    coverage_80: float | None
    band_80: tuple[float, float] | None


@dataclass(frozen=True)
class Drift:
    """How far the features of the last sessions are from those that the model was fitted on.

    ``drifted`` of ``features`` moved further than both 0.25 and what is usual in their own past;
    ``most`` is the one that moved most, by ``largest``. No feature where the past is too short.
    """

    features: int
    drifted: int
    most: str | None
    largest: float | None


@dataclass(frozen=True)
class ModelCheck:
    """Whether a new training is due at a session, as the table ``model_check`` has it."""

    source: str
    session_date: dt.date
    training_run_id: str | None
    model_name: str | None
    retraining_due: bool
    reason: str
    age_sessions: int | None
    realised_sessions: int | None
    rolling_rmse_to_naive: float | None
    rolling_skill_p_value: float | None
    rolling_coverage_80: float | None
    coverage_80_lowest: float | None
    coverage_80_highest: float | None
    drifted_features: int | None
    most_drifted_feature: str | None
    largest_drift: float | None


def nothing_in_service(source: str, session: dt.date) -> ModelCheck:
    """Return the check of a session before which no model was chosen."""
    unknown = dict.fromkeys(
        (
            "training_run_id",
            "model_name",
            "age_sessions",
            "realised_sessions",
            "rolling_rmse_to_naive",
            "rolling_skill_p_value",
            "rolling_coverage_80",
            "coverage_80_lowest",
            "coverage_80_highest",
            "drifted_features",
            "most_drifted_feature",
            "largest_drift",
        )
    )
    return ModelCheck(
        source=source,
        session_date=session,
        retraining_due=True,
        reason="no model was in service before",
        **unknown,
    )


def judge(
    source: str, session: dt.date, serving: InService, realised: Realised, drift: Drift
) -> ModelCheck:
    """Return whether a new training is due, and why or why not."""
    causes = list(_causes(serving, realised, drift))
    lowest, highest = realised.band_80 or (None, None)
    return ModelCheck(
        source=source,
        session_date=session,
        training_run_id=serving.training_run_id,
        model_name=serving.model_name,
        retraining_due=bool(causes),
        reason="; ".join(causes) or _why_not(serving, realised, drift),
        age_sessions=serving.age_sessions,
        realised_sessions=realised.sessions,
        rolling_rmse_to_naive=realised.rmse_to_naive,
        rolling_skill_p_value=realised.skill_p_value,
        rolling_coverage_80=realised.coverage_80,
        coverage_80_lowest=lowest,
        coverage_80_highest=highest,
        drifted_features=drift.drifted,
        most_drifted_feature=drift.most,
        largest_drift=drift.largest,
    )


def _causes(serving: InService, realised: Realised, drift: Drift) -> Iterator[str]:
    if not serving.same_method:
        yield "the plan or the code that models are trained by has changed"
    if serving.age_sessions > LARGEST_AGE_SESSIONS:
        yield (
            f"the last training is {serving.age_sessions} sessions old, more than the "
            f"{LARGEST_AGE_SESSIONS} allowed"
        )
    if serving.age_sessions < REST_SESSIONS:
        return
    if realised.sessions >= LEAST_SESSIONS:
        yield from _lost(realised)
    if drift.drifted > DRIFTED_SHARE * drift.features:
        yield (
            f"{drift.drifted} of {drift.features} features have drifted from those that the model "
            f"was fitted on, most of all {drift.most}, by a population stability index of "
            f"{drift.largest:.2f}"
        )


def _lost(realised: Realised) -> Iterator[str]:
    p_value, coverage, band = realised.skill_p_value, realised.coverage_80, realised.band_80
    if p_value is not None and p_value < SKILL_LEVEL:
        yield (
            f"over the last {realised.sessions} realised sessions what served has forecast worse "
            f"than the expanding mean, p = {p_value:.4f}"
        )
    if coverage is not None and band is not None and not band[0] <= coverage <= band[1]:
        yield (
            f"over the last {realised.sessions} realised sessions intervals of 80 % held "
            f"{coverage:.1%}, where chance allows {band[0]:.1%} to {band[1]:.1%}"
        )


def _why_not(serving: InService, realised: Realised, drift: Drift) -> str:
    age = f"the last training is {serving.age_sessions} of {LARGEST_AGE_SESSIONS} sessions old"
    if serving.age_sessions < REST_SESSIONS:
        return f"{age}, too young to be judged"
    if realised.sessions < LEAST_SESSIONS:
        seen = f"too few sessions are realised to judge by, {realised.sessions}"
    else:
        seen = f"neither skill nor coverage is lost over {realised.sessions} realised sessions"
    if drift.features == 0:
        return f"{age}; {seen}; the features' past is too short to tell drift"
    return f"{age}; {seen}; {drift.drifted} of {drift.features} features have drifted"
