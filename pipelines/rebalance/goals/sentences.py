"""Projections in words that a client understands, and that promise nothing."""

import calendar
import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import GoalLever
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.goals.levers import Levers

_ESTIMATE = (
    " This is an estimate before taxes and inflation: it takes cash to earn {cash} a year and"
    " markets to pay for risk as they have in the long run; either may do better or worse."
)
_NO_LEVER = " No single change that we looked at would raise the chance to "
_LEVERS = tuple(GoalLever)
_THOUSAND = 1_000
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Told:
    """What sentences are made of; see ``Projections``. (goals,) each.

    Attributes
    ----------
    has_passed : whether the goal's date has.
    risk_free_rate : what cash is taken to earn in a year.
    """

    is_projected: Mask
    has_passed: Mask
    probability: Floats
    target_cents: Integers
    target_day: Integers
    lower_cents: Integers
    upper_cents: Integers
    planned_cents: Integers
    aimed_probability: float
    risk_free_rate: float
    levers: Levers
    later_target_day: Integers


def sentences_of(told: Told) -> pa.StringArray:
    """Return each goal's sentences; empty where there is no projection."""
    text = pc.if_else(pa.array(told.has_passed), _of_passed(told), _of_prospects(told))
    return pc.if_else(pa.array(told.is_projected), text, "")


def _of_passed(told: Told) -> pa.StringArray:
    reached = pa.array(told.probability >= 1)
    return _joined(
        pc.if_else(
            reached,
            "The goal's date has passed, and its accounts are worth at least what was wanted: ",
            "The goal's date has passed, and its accounts are worth less than was wanted: ",
        ),
        dollars(told.target_cents),
        ".",
    )


def _of_prospects(told: Told) -> pa.StringArray:
    return _joined(
        "Your chance of having ",
        dollars(told.target_cents),
        " by ",
        _day(told.target_day),
        " is ",
        _share(told.probability),
        _range(told),
        _planned(told),
        _advice(told),
        _ESTIMATE.format(cash=f"{100 * told.risk_free_rate:g}%"),
    )


def _range(told: Told) -> pa.StringArray:
    lower, upper = _three_digits(told.lower_cents), _three_digits(told.upper_cents)
    between = _joined(
        ". Eight times out of ten the accounts would then be worth between ",
        dollars(lower),
        " and ",
        dollars(upper),
        ".",
    )
    about = _joined(". The accounts would then be worth about ", dollars(upper), ".")
    is_used_up = pa.array((upper == 0) & (told.planned_cents < 0))
    used_up = ". What is planned to be taken out would use the accounts up before then."
    return pc.if_else(is_used_up, used_up, pc.if_else(pa.array(lower == upper), about, between))


def _planned(told: Told) -> pa.StringArray:
    amount = dollars(np.abs(told.planned_cents))
    paid_in = _joined(" That counts on the ", amount, " that you plan to pay in until then.")
    taken_out = _joined(" That counts the ", amount, " that you plan to take out until then.")
    net = np.sign(np.rint(told.planned_cents / 100))
    return pc.if_else(pa.array(net > 0), paid_in, pc.if_else(pa.array(net < 0), taken_out, ""))


def _advice(told: Told) -> pa.StringArray:
    aimed = f"{told.aimed_probability:.0%}"
    levers, best = told.levers, told.levers.best
    raising = f" would raise the chance to {aimed}."
    phrases = {
        GoalLever.SAVE_MORE: _joined(
            " Saving ", dollars(levers.extra_monthly_cents), f" more each month{raising}"
        ),
        GoalLever.WAIT_LONGER: _joined(
            " Waiting until ", _day(np.maximum(told.later_target_day, 0)), raising
        ),
        GoalLever.WANT_LESS: _joined(
            " Aiming for ", dollars(levers.lower_target_cents), f" instead{raising}"
        ),
        GoalLever.TAKE_MORE_RISK: _joined(
            " A risk score of ",
            pa.array(levers.higher_risk_score).cast(pa.string()),
            raising[:-1],
            ", but you would have to bear larger losses on the way.",
        ),
    }
    is_likely = pa.array(told.probability >= told.aimed_probability)
    advice = pa.array([f"{_NO_LEVER}{aimed}."] * len(best), pa.string())
    for number, lever in enumerate(_LEVERS):
        advice = pc.if_else(pa.array(best == number), phrases[lever], advice)
    return pc.if_else(is_likely, "", advice)


def dollars(cents: Integers) -> pa.StringArray:
    """Return whole dollars, rounded half to even, with commas; for amounts of at least 0."""
    whole = np.rint(np.maximum(cents, 0) / 100).astype(np.int64)
    text, rest = None, whole
    for _ in range(6):
        part = pa.array(rest % _THOUSAND).cast(pa.string())
        higher = rest // _THOUSAND
        padded = pc.if_else(pa.array(higher > 0), pc.utf8_lpad(part, 3, "0"), part)
        shown = padded if text is None else _joined(padded, ",", text)
        text = shown if text is None else pc.if_else(pa.array(rest > 0), shown, text)
        rest = higher
        if not rest.any():
            break
    return _joined("$", text)


def _three_digits(cents: Integers) -> Integers:
    """Round to three digits: more would claim to know the future to the dollar."""
    size = np.maximum(np.floor(np.log10(np.maximum(cents, 1))) - 2, 0)
    unit = 10 ** size.astype(np.int64)
    return (cents + unit // 2) // unit * unit


def _share(probability: Floats) -> pa.StringArray:
    percent = np.rint(probability * 100).astype(np.int64)
    about = np.where(percent < 1, "less than ", np.where(percent > 99, "more than ", "about "))
    shown = pa.array(np.clip(percent, 1, 99)).cast(pa.string())
    return _joined(pa.array(about), shown, "%")


def _day(day: Integers) -> pa.StringArray:
    known, same = np.unique(day, return_inverse=True)
    dates = [_EPOCH + dt.timedelta(days=number) for number in known.tolist()]
    texts = [f"{date.day} {calendar.month_name[date.month]} {date.year}" for date in dates]
    return pa.array(texts, pa.string()).take(pa.array(same))


def _joined(*parts: pa.StringArray | str) -> pa.StringArray:
    return pc.binary_join_element_wise(*parts, "")
