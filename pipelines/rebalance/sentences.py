"""What happened to an account and why, in words that its client understands."""

from models.vocabulary import Outcome, Trigger

_WHY = {
    Trigger.FIRST_ADVICE: "this is the first advice for this account",
    Trigger.DRIFT: "what it holds is away from its last target",
    Trigger.PROFILE_CHANGE: "your risk score or the limits on what it may hold have changed",
}

_RELAXED = (
    "Your wishes and cash buffer leave less to invest than your risk score asks for; "
    "we kept to your wishes. "
)


def traded(outcome: Outcome, trigger: Trigger, trades: int, drift: float) -> str:
    """Return the sentence for an account that trades."""
    prefix = _RELAXED if outcome is Outcome.RELAXED else ""
    noun = "trade brings" if trades == 1 else "trades bring"
    return f"{prefix}{trades} {noun} it to its target, because {_WHY[trigger]} ({drift:.1%} off)."


def unchanged() -> str:
    """Return the sentence for an account that is as near to its old target as it should be."""
    return (
        "Nothing to do: every holding is within its band around the target, or as near "
        "to it as the smallest trade allows."
    )


def near_new_target(trigger: Trigger) -> str:
    """Return the sentence for an account whose new target is close to what it holds."""
    return (
        f"This account has a new target, because {_WHY[trigger]}; every holding is within its "
        "band around the new one, or as near to it as the smallest trade allows."
    )


def held(reason: str) -> str:
    """Return the sentence for an account that is left alone for a reason."""
    return f"Nothing was traded: {reason}."


def failed() -> str:
    """Return the sentence for an account for which no verified target was found."""
    return (
        "Nothing was traded: no target passed our checks. We look into it; nothing to do for you."
    )
