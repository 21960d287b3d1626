"""What the store's words mean, as a client understands them."""

from collections.abc import Mapping
from types import MappingProxyType

from models.vocabulary import (
    AllocationView,
    Constraint,
    GoalLever,
    Outcome,
    RunStatus,
    Trigger,
)
from pipelines.explain.amounts import whole_dollars
from pipelines.explain.facts import Goal, Weight
from pipelines.rebalance.reasons.words import TRIGGER_WORDS

OUTCOME_WORDS: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.REBALANCED: "trades are proposed",
        Outcome.WITHIN_BAND: "nothing needs to be traded",
        Outcome.RELAXED: "a usual limit had to give way, as told below",
        Outcome.HELD: "the account is left as it is, because no advice can be given",
        Outcome.BLOCKED: "the account is left as it is, because orders are with the broker",
        Outcome.FAILED: "we could make no advice that passes our checks, and look into it",
    }
)
RELAXED_WORDS: Mapping[Constraint, str] = MappingProxyType(
    {
        Constraint.TURNOVER: "how much may be traded at once",
        Constraint.MINIMUM_INVESTED: "how much must be invested at least for this risk score",
        Constraint.CLASS_LIMIT: "how much one kind of investment may weigh",
        Constraint.SYMBOL_LIMIT: "how much one investment may weigh",
        Constraint.SUITABILITY: "how much risk suits the client",
        Constraint.CLIENT_WISH: "the client's own wishes and cash buffer",
    }
)
"""What each limit is about."""

_BINDS: Mapping[Constraint, str] = MappingProxyType(
    {
        Constraint.TURNOVER: "the limit on how much is traded at once",
        Constraint.MINIMUM_INVESTED: "the least that must be invested for the risk score",
        Constraint.CLASS_LIMIT: "the limit on its kind of investment",
        Constraint.SYMBOL_LIMIT: "its own limit",
        Constraint.SUITABILITY: "the shared limit on risk",
        Constraint.CLIENT_WISH: "your own wish",
    }
)
CAUSE_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "drift": "prices moved",
        "cash_flow": "cash came or is needed",
        "profile": "goal, date and risk score",
        "constraints": "limits and wishes",
        "risk_model": "risk as it is today",
        "forecast": "forecasts",
        "cost": "trading cost, limit on trading",
        "tax": "tax",
        "rounding": "whole lots, leftover cash",
    }
)
CAUSE_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "drift": "going back to the last target after prices moved",
        "cash_flow": "investing new cash, or raising cash that is needed",
        "profile": "what the goal, its date and the risk score ask for, before any limit",
        "constraints": "limits on what may be held, wishes, and cash that is kept back",
        "risk_model": "how much prices swing at present, in place of over ten years",
        "forecast": "the model's forecasts, as far as they earned confidence",
        "cost": "what trading costs, and the limit on trading at once",
        "tax": "tax on gains and losses",
        "rounding": "whole shares, the smallest trade, and leftover cash",
    }
)
"""What each cause of a trade is, along the path."""
VIEW_WORDS: Mapping[AllocationView, str] = MappingProxyType(
    {
        AllocationView.LSTM: "LSTM",
        AllocationView.MA: "moving averages",
        AllocationView.NONE: "no forecast",
    }
)
STATUS_WORDS: Mapping[str, str] = MappingProxyType(
    {
        RunStatus.PUBLISHED.value: "published",
        RunStatus.SUPERSEDED.value: "superseded: a later run of the session took its place",
        RunStatus.BUILDING.value: "building: NOT published, and perhaps not complete",
    }
)


def trigger_words(trigger: Trigger) -> str:
    """Return why an account acts, or that nothing asks for it."""
    if trigger is Trigger.NONE:
        return "nothing asks for a trade in this account by itself"
    return TRIGGER_WORDS[trigger]


def binding_words(weight: Weight) -> str:
    """Return what holds a weight where it is; a dash where nothing does."""
    if weight.constraint is None:
        return "none is wanted" if weight.is_on_bound and not weight.target else "-"
    if not weight.target and weight.constraint is not Constraint.CLIENT_WISH:
        return "left out: the others use the room better"
    return _BINDS[weight.constraint]


def lever_words(goal: Goal) -> tuple[tuple[GoalLever, str], ...]:
    """Return what a client could do about a goal, each alone."""
    found = {
        GoalLever.SAVE_MORE: goal.extra_monthly_cents
        and f"pay in {whole_dollars(goal.extra_monthly_cents)} more each month",
        GoalLever.WAIT_LONGER: goal.later_target_date and f"wait until {goal.later_target_date}",
        GoalLever.WANT_LESS: goal.lower_target_cents is not None
        and f"aim for {whole_dollars(goal.lower_target_cents)}",
        GoalLever.TAKE_MORE_RISK: goal.higher_risk_score
        and f"take more risk: a risk score of {goal.higher_risk_score}",
    }
    return tuple((lever, text) for lever, text in found.items() if text)
