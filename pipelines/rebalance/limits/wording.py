"""Limits that gave way, or that nothing could meet, in words that a client understands."""

from collections.abc import Callable

import pyarrow as pa

from models.vocabulary import Constraint
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.limits.relaxation import RELAXATIONS

_GAVE_WAY = {
    Constraint.TURNOVER: "more is traded at once than we usually allow, because your limits ask it",
    Constraint.MINIMUM_INVESTED: (
        "your wishes and cash buffer leave less to invest than your risk score asks for"
    ),
    Constraint.CLASS_LIMIT: "a kind of investment weighs more than we usually allow",
    Constraint.SYMBOL_LIMIT: "an investment that cannot be sold weighs more than we usually allow",
}
_UNMET = {
    Constraint.SUITABILITY: "what cannot be sold is riskier than what suits you",
    Constraint.CLIENT_WISH: "your wishes or your cash buffer leave nothing that could be bought",
}
_CLAUSES = {**_GAVE_WAY, **_UNMET}


def words_of(bits: Integers) -> pa.StringArray:
    """Return the names of constraints in sets of bits, in their order, joined by commas."""
    return _of_each(bits, lambda number: ",".join(name.value for name in _names(number)))


def clauses_of(bits: Integers) -> pa.StringArray:
    """Return what became of constraints, as clauses joined by "and"; empty for none."""
    return _of_each(bits, lambda number: " and ".join(_CLAUSES[name] for name in _names(number)))


def _names(number: int) -> list[Constraint]:
    return [name for place, name in enumerate(RELAXATIONS) if number >> place & 1]


def _of_each(bits: Integers, in_words: Callable[[int], str]) -> pa.StringArray:
    every = pa.array([in_words(number) for number in range(1 << len(RELAXATIONS))])
    return every.take(pa.array(bits))
