"""One sentence per account: what happened to it and why, in words that its client understands."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import Outcome, Trigger
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.inputs.screening import why_left_alone
from pipelines.rebalance.inputs.shard import Accounts
from pipelines.rebalance.limits.wording import clauses_of
from pipelines.rebalance.reasons.words import TRIGGER_WORDS

OUTCOMES = tuple(Outcome)
TRIGGERS = tuple(Trigger)

_UNCHECKED = "no target passed our checks"
_WE_LOOK = "We look into it; you need not do anything."
_ORDERED_TOO_MUCH = "orders that are with the broker will take more than it has"
_NEAR = (
    "every holding is within the room that we leave around its target, or as near to it as the "
    "smallest trade allows."
)
_UNCHANGED = f"Nothing to do: {_NEAR}"
_CASH_WORDS = ("money came in", "cash is needed")  # where nothing is sold, where something is
_FAR = 0.1
_TOO_COARSE = (
    " of its worth is not where the target wants it, but no investment is off by much more than "
    "the smallest trade that can be made of it."
)
_UNTOLD = -1
_COOLING = (
    "Nothing to do for now: the account was traded lately, and what has moved away from its target "
    "since is put right after a pause."
)


@dataclass(frozen=True)
class Told:
    """What sentences tell of accounts, (accounts,) each.

    Attributes
    ----------
    outcome, trigger : as ``tuple(Outcome)`` and ``tuple(Trigger)`` number them.
    trades : how many are made.
    drift : share of wealth in the wrong place; NaN where there is no target.
    relaxed, infeasible : bits, as ``RELAXATIONS`` numbers them.
    has_new_target, is_flow_only, is_cooling : what was done, or why not.
    raises_cash : whether something is sold.
    risk_score : in force.
    cash_weight : share of its goal's worth that stays cash in a new target because limits leave
        no other place for it; NaN where that is not so.
    risky_limit : share of its goal's worth that suitability allows in risky classes; NaN where
        that is not the limit.
    """

    outcome: Integers
    trigger: Integers
    trades: Integers
    drift: Floats
    relaxed: Integers
    infeasible: Integers
    has_new_target: Mask
    is_flow_only: Mask
    is_cooling: Mask
    raises_cash: Mask
    risk_score: Integers
    cash_weight: Floats
    risky_limit: Floats


def account_sentences(accounts: Accounts, told: Told) -> pa.StringArray:
    """Return the sentence of each account."""
    is_left_alone = np.isin(told.outcome, [_number(Outcome.HELD), _number(Outcome.BLOCKED)])
    is_failed = told.outcome == _number(Outcome.FAILED)
    why = why_left_alone(accounts.issue, accounts.issue_detail)
    return pc.case_when(
        pc.make_struct(pa.array(is_left_alone), pa.array(is_failed), pa.array(told.trades > 0)),
        _left_alone(why, told),
        _failed(why),
        _with_cash(told, _after_relaxing(told, _traded(told))),
        _with_cash(told, _after_relaxing(told, _untraded(told))),
    )


def _number(outcome: Outcome) -> int:
    return OUTCOMES.index(outcome)


def _left_alone(why: pa.StringArray, told: Told) -> pa.StringArray:
    unmet = clauses_of(told.infeasible)
    clause = pc.case_when(
        pc.make_struct(_is_given(why), _is_given(unmet)), why, unmet, _ORDERED_TOO_MUCH
    )
    return pc.binary_join_element_wise("Nothing was traded: ", clause, ".", "")


def _failed(why: pa.StringArray) -> pa.StringArray:
    clause = pc.if_else(_is_given(why), why, _UNCHECKED)
    return pc.binary_join_element_wise("Nothing was traded: ", clause, f". {_WE_LOOK}", "")


def _is_given(clauses: pa.StringArray) -> pa.BooleanArray:
    return pc.greater(pc.binary_length(clauses), 0)


def _traded(told: Told) -> pa.StringArray:
    """Return how many trades are made, to what end, why, and how far off the account was."""
    counts = np.arange(int(told.trades.max(initial=0)) + 1)
    goals = (" this account to its target, because ", " this account's cash to its place, because ")
    nouns = [f"{n} trade brings" if n == 1 else f"{n} trades bring" for n in counts.tolist()]
    triggers = pa.array([*(TRIGGER_WORDS[trigger] for trigger in TRIGGERS), *_CASH_WORDS])
    is_of_cash = told.trigger == TRIGGERS.index(Trigger.CASH_FLOW)
    why = np.where(is_of_cash, len(TRIGGERS) + told.raises_cash, told.trigger)
    return pc.binary_join_element_wise(
        pa.array(nouns).take(pa.array(told.trades)),
        pa.array(goals).take(pa.array(told.is_flow_only.astype(np.int8))),
        triggers.take(pa.array(why)),
        ". ",
        _percent(told.drift),
        " of its worth was not where the target wants it.",
        "",
    )


def _percent(fractions: Floats) -> pa.StringArray:
    tenths = np.rint(np.nan_to_num(fractions) * 1000).astype(np.int64)
    known, same = np.unique(tenths, return_inverse=True)
    return pa.array([f"{n / 10:.1f}%" for n in known.tolist()], pa.string()).take(pa.array(same))


def _untraded(told: Told) -> pa.StringArray:
    renewed = [
        f"This account has a new target, because {TRIGGER_WORDS[trigger]}. Nothing is traded: "
        f"{_NEAR}"
        for trigger in TRIGGERS
    ]
    texts = pa.array([*renewed, _UNCHANGED, _COOLING])
    otherwise = np.where(told.is_cooling, len(renewed) + 1, len(renewed))
    sentences = texts.take(pa.array(np.where(told.has_new_target, told.trigger, otherwise)))
    is_far = ~told.is_cooling & ~told.has_new_target & (told.drift >= _FAR)
    far = pc.binary_join_element_wise("Nothing to do: ", _percent(told.drift), _TOO_COARSE, "")
    return pc.if_else(pa.array(is_far), far, sentences)


def _after_relaxing(told: Told, sentences: pa.StringArray) -> pa.StringArray:
    clauses = pc.utf8_capitalize(clauses_of(told.relaxed))
    return pc.binary_join_element_wise(
        clauses, pc.if_else(pa.array(told.relaxed != 0), ". ", ""), sentences, ""
    )


def _with_cash(told: Told, sentences: pa.StringArray) -> pa.StringArray:
    """Add how much stays cash, and why, where limits leave it there."""
    is_told = ~np.isnan(told.cash_weight)
    shares = np.column_stack((told.cash_weight, told.risky_limit))
    percents = np.rint(np.nan_to_num(100 * shares, nan=_UNTOLD)).astype(np.int64)
    numbers = np.column_stack((percents, told.risk_score))
    known, same = np.unique(
        np.where(is_told[:, None], numbers, _UNTOLD), axis=0, return_inverse=True
    )
    texts = [_cash_text(*row) for row in known.tolist()]
    return pc.binary_join_element_wise(
        sentences, pa.array(texts, pa.string()).take(pa.array(same.ravel())), ""
    )


def _cash_text(cash: int, risky: int, score: int) -> str:
    """Return the sentence on cash, of percents and the risk score."""
    if cash == _UNTOLD:
        return ""
    text = f" About {cash}% of the money for this goal stays cash"
    if risky == _UNTOLD:
        return f"{text}."
    return (
        f"{text}: a risk score of {score} and the loss that you can bear allow at most {risky}% in "
        "investments that can fall far in price, and we have nothing safer to offer than cash."
    )
