"""What happened to an account and why, in words that its client understands."""

from collections.abc import Sequence

from models.vocabulary import Trigger

_WHY = {
    Trigger.FIRST_ADVICE: "this is the first advice for this account",
    Trigger.DRIFT: "what it holds is away from its last target",
    Trigger.PROFILE_CHANGE: "your risk score or the limits on its holdings and cash have changed",
}

_RELAXED = (
    "Your wishes and cash buffer leave less to invest than your risk score asks for; "
    "we kept to your wishes. "
)


def traded(trigger: Trigger, trades: int, drift: float, relaxed: Sequence[str]) -> str:
    """Return the sentence for an account that trades."""
    noun = "trade brings" if trades == 1 else "trades bring"
    return _after_relaxing(
        relaxed, f"{trades} {noun} it to its target, because {_WHY[trigger]} ({drift:.1%} off)."
    )


def unchanged(relaxed: Sequence[str]) -> str:
    """Return the sentence for an account that is as near to its old target as it should be."""
    return _after_relaxing(
        relaxed,
        "Nothing to do: every holding is within its band around the target, or as near "
        "to it as the smallest trade allows.",
    )


def near_new_target(trigger: Trigger, relaxed: Sequence[str]) -> str:
    """Return the sentence for an account whose new target is close to what it holds."""
    return _after_relaxing(
        relaxed,
        f"This account has a new target, because {_WHY[trigger]}; every holding is within its "
        "band around the new one, or as near to it as the smallest trade allows.",
    )


def held(reason: str) -> str:
    """Return the sentence for an account that is left alone for a reason."""
    return f"Nothing was traded: {reason}."


def failed() -> str:
    """Return the sentence for an account for which no verified target was found."""
    return (
        "Nothing was traded: no target passed our checks. We look into it; nothing to do for you."
    )


def _after_relaxing(relaxed: Sequence[str], sentence: str) -> str:
    return f"{_RELAXED}{sentence}" if relaxed else sentence
