"""What is expected: the forecasts behind a target, and the goal's prospects."""

import math
from collections.abc import Iterator

from models.vocabulary import BASELINE_PART, OTHER_PARTS
from pipelines.explain.amounts import about_dollars, dollars, number, percent, whole_dollars
from pipelines.explain.charts import Range, ranges
from pipelines.explain.document import Grid, Section
from pipelines.explain.facts import AccountAdvice, Explanation, Forecast, Goal
from pipelines.explain.words import lever_words

_LARGEST_PARTS = 3
_PART_NAMES = {BASELINE_PART: "what it says without any feature", OTHER_PARTS: "all other features"}


def forecast_section(explained: Explanation, account: AccountAdvice) -> Section:
    """Return the forecasts that the target was made from."""
    title = "Forecasts behind it"
    found = account.forecasts
    if not found:
        what = explained.symbol or "what this account holds or is to hold"
        return Section(title, paragraphs=(f"The run has no forecast of {what}.",))
    first = found[0]
    notes = [
        f"{first.model_name} version {first.model_version} serves. Returns over the next "
        f"{first.horizon_sessions} sessions; most of what happens is not forecast by any model, so "
        "the intervals are wide.",
        _confidence_words(found),
        *sorted({each.interval_note for each in found if each.interval_note}),
    ]
    grids = [_grid(found)]
    if explained.symbol:
        grids.append(_parts_grid(first))
    return Section(
        title,
        paragraphs=tuple(notes),
        chart=ranges(
            [
                Range(
                    each.symbol,
                    _expected(each),
                    _simple(each.interval_80),
                    _simple(each.interval_95),
                )
                for each in found
            ],
            lambda value: percent(value, is_signed=True),
            f"Expected return over {first.horizon_sessions} sessions with its intervals",
            ("80% interval", "95% interval", "expected return"),
            (0.0, "0"),
        ),
        grids=tuple(grids),
    )


def goal_section(account: AccountAdvice) -> Section:
    """Return how likely the goal is reached, and what would raise that."""
    goal = account.goal
    if goal is None:
        what = "The run made no projection: there is no goal, or an account of it is left alone."
        return Section("The goal", paragraphs=(what,))
    low, middle, high = goal.worth_cents
    figures = Grid(
        ("figure", "value"),
        (
            ("probability of success", percent(goal.probability)),
            (
                "which a simulation of the same assumptions would put at",
                f"{percent(max(0.0, goal.probability - goal.probability_error))} to "
                f"{percent(min(1.0, goal.probability + goal.probability_error))}",
            ),
            ("target", f"{dollars(goal.target_cents)} by {goal.target_date}"),
            ("worth of its accounts today", dollars(goal.wealth_cents)),
            ("planned until then", dollars(goal.planned_cents, is_signed=True)),
            ("worth then: 1 in 10 ends below", about_dollars(low)),
            ("worth then: half end below", about_dollars(middle)),
            ("worth then: 1 in 10 ends above", about_dollars(high)),
        ),
        numeric=1,
    )
    return Section(
        f"The goal: {goal.kind.value.replace('_', ' ')}",
        paragraphs=(goal.sentence,),
        chart=ranges(
            [Range("worth at its date", middle, (low, high), (low, high))],
            lambda cents: about_dollars(round(cents)),
            "Worth at the goal's date",
            ("8 of 10 outcomes", "", "median"),
            (goal.target_cents, f"target {whole_dollars(goal.target_cents)}"),
        ),
        grids=(figures, *_levers(goal)),
    )


def _levers(goal: Goal) -> Iterator[Grid]:
    levers = lever_words(goal)
    if levers:
        best = " (the least change of plan)"
        yield Grid(
            (f"each alone would raise the probability to {percent(goal.aimed_probability, 0)}",),
            tuple((text + (best if lever is goal.best_lever else ""),) for lever, text in levers),
        )


def _grid(found: tuple[Forecast, ...]) -> Grid:
    return Grid(
        ("symbol", "largest parts", "expected", "80% interval", "95% interval", "confidence"),
        tuple(
            (
                each.symbol,
                ", ".join(
                    f"{_part_name(feature)} {percent(part, 2, is_signed=True)}"
                    for feature, _, part in each.parts[:_LARGEST_PARTS]
                )
                or "not split",
                percent(_expected(each), 2, is_signed=True),
                _interval(each.interval_80),
                _interval(each.interval_95),
                percent(each.confidence, 0),
            )
            for each in found
        ),
        numeric=4,
    )


def _parts_grid(forecast: Forecast) -> Grid:
    return Grid(
        (f"part of the forecast of {forecast.symbol}", "what the model saw", "log return"),
        tuple(
            (_part_name(feature), number(seen), percent(part, 3, is_signed=True))
            for feature, seen, part in forecast.parts
        ),
        numeric=2,
    )


def _confidence_words(found: tuple[Forecast, ...]) -> str:
    least, most = (find(each.confidence for each in found) for find in (min, max))
    if not most:
        return "These forecasts have earned no confidence yet: the target ignores them."
    span = percent(most, 0) if least == most else f"{percent(least, 0)} to {percent(most, 0)}"
    return f"Confidence earned on past forecasts: {span}. At 0% the target would ignore them."


def _expected(forecast: Forecast) -> float:
    return math.expm1(forecast.mean + forecast.stdev**2 / 2)


def _simple(ends: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = (None if end is None else math.expm1(end) for end in ends)
    return low, high


def _interval(ends: tuple[float | None, float | None]) -> str:
    low, high = _simple(ends)
    return (
        f"{'no end' if low is None else percent(low, is_signed=True)} to "
        f"{'no end' if high is None else percent(high, is_signed=True)}"
    )


def _part_name(feature: str) -> str:
    return _PART_NAMES.get(feature, feature)
