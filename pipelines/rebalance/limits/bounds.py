"""What the targets of a shard's goals must keep to, as arrays."""

from dataclasses import dataclass

from pipelines.rebalance.arrays import Floats, Integers, Mask


@dataclass(frozen=True)
class Bounds:
    """Limits of each goal that some target keeps to; weights are fractions of the goal's wealth.

    Attributes
    ----------
    wealth_cents : (goals,) of all its accounts that can be advised on.
    tolerance : (goals,) 1 / risk aversion after glide path and suitability.
    risk_score : (goals,) the score in force: the profile's, lowered by the glide path.
    lower, upper : (goals, symbols).
    reachable_upper : (goals, symbols) the same, but what a wash sale keeps from being bought does
        not rise above what is held; ``upper`` where that would leave no weights.
    class_lower, class_upper : (goals, classes).
    invested_lower, invested_upper : (goals,) of the sum of weights of symbols.
    risky_upper : (goals,) of the sum of weights of symbols in risky classes: suitability.
    turnover : (goals,); infinite where there is no limit.
    relaxed : (goals,) bits, as ``RELAXATIONS`` numbers them, in the order in which they give way.
    infeasible : (goals,) bits of what could not be met although all else gave way; 0: feasible.
    is_advised : (goals,) whether a target can be made at all.
    """

    wealth_cents: Integers
    tolerance: Floats
    risk_score: Integers
    lower: Floats
    upper: Floats
    reachable_upper: Floats
    class_lower: Floats
    class_upper: Floats
    invested_lower: Floats
    invested_upper: Floats
    risky_upper: Floats
    turnover: Floats
    relaxed: Integers
    infeasible: Integers
    is_advised: Mask
