"""Rules for memberships at the raw boundary."""

from expectations.rules import NotBelow, Rule, Suite, columns_are_declared, declared
from models.lake import UNIVERSE

UNIVERSE_SUITE = Suite(
    "universe",
    (
        columns_are_declared(UNIVERSE),
        *declared(UNIVERSE),
        Rule(
            "membership_ends_after_it_begins",
            NotBelow("member_until", "member_from"),
            "the membership ends before it begins",
            "Correct the universe of the source.",
            shows=("member_from", "member_until"),
        ),
    ),
)
"""What each version of a membership must satisfy."""
