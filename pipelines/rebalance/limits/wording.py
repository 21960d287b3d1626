"""Limits that gave way, or that nothing could meet, in words that a client understands."""

import pyarrow as pa

from models.vocabulary import Constraint
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.limits.relaxation import RELAXATIONS, bit

_GAVE_WAY = {
    Constraint.TURNOVER: (
        "more is traded at once than we usually allow, because your limits ask for it"
    ),
    Constraint.MINIMUM_INVESTED: (
        "your wishes or your cash buffer leave less to invest than your risk score asks for"
    ),
    Constraint.CLASS_LIMIT: "a kind of investment weighs more than we usually allow",
    Constraint.SYMBOL_LIMIT: "an investment that cannot be sold weighs more than we usually allow",
}
_UNMET = {
    Constraint.SUITABILITY: "what cannot be sold is riskier than what suits you",
    Constraint.CLIENT_WISH: "your wishes or your cash buffer leave nothing that could be bought",
}
_CLAUSES = {**_GAVE_WAY, **_UNMET}


def clauses_of(bits: Integers) -> pa.StringArray:
    """Return what became of constraints, as clauses joined by "and"; empty for none."""
    every = [
        " and ".join(_CLAUSES[name] for name in RELAXATIONS if number & bit(name))
        for number in range(1 << len(RELAXATIONS))
    ]
    return pa.array(every).take(pa.array(bits))
