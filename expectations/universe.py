"""Rules for memberships at the raw boundary."""

from expectations.rules import NotBelow, Present, Rule, Suite, columns_are_declared, declared
from models.lake import UNIVERSE

# Its batch carries two derived columns. ``instrument``: the instrument that is a member (null:
# unknown). ``earlier_until``: the last session of the symbol's memberships that began earlier
# (null: none did), for ever where one has not ended.
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
        Rule(
            "member_is_known",
            Present("instrument"),
            "the member is not in the instrument reference",
            "Correct the symbol, or add it to the source's instrument reference and release the "
            "membership (`smartinvest quarantine release`).",
            shows=("symbol",),
        ),
        Rule(
            "membership_does_not_overlap",
            NotBelow("member_from", "earlier_until"),
            "it begins while an earlier membership of the symbol lasts",
            "Correct the universe of the source: one membership at a time.",
            shows=("member_from",),
        ),
    ),
)
"""What each version of a membership must satisfy."""
