"""What is compared: our portfolios by risk score and view, and what anybody could hold instead."""

from dataclasses import dataclass, fields

import numpy as np

from models.vocabulary import AllocationView, AssetClass
from pipelines.rebalance.arrays import Floats, Mask
from pipelines.rebalance.limits.make_bounds import (
    aimed_volatility,
    least_exposure,
    symbol_limits,
)
from pipelines.rebalance.limits.relaxation import Wanted, relax
from pipelines.rebalance.market.aversion import risk_tolerance, target_volatility
from pipelines.rebalance.market.forecasts import RunForecasts
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import make_outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.problems import Problems
from pipelines.rebalance.solver.solve import solve

_BPS = 10_000
_RISKY_SHARE = 0.6


@dataclass(frozen=True)
class Strategy:
    """A way to invest; ``score`` and ``view`` are of our portfolios, None elsewhere."""

    key: str
    title: str
    score: int | None = None
    view: AllocationView | None = None


EQUAL = Strategy("equal_weight", "1/N")
SIXTY_FORTY = Strategy("sixty_forty", "60/40")
LEAST_VARIANCE = Strategy("minimum_variance", "minimum variance")
REFERENCE = Strategy("reference", "reference weights")
BENCHMARKS = (EQUAL, SIXTY_FORTY, LEAST_VARIANCE, REFERENCE)

_VIEW_TITLES = {
    AllocationView.LSTM: "LSTM view",
    AllocationView.MA: "moving-average view",
    AllocationView.NONE: "no view",
}


def ours(scores: tuple[int, ...]) -> tuple[Strategy, ...]:
    """Return our portfolios: each view at each risk score, in that order."""
    return tuple(
        Strategy(
            f"{view.value}_{score}", f"score {score}, {_VIEW_TITLES[view]}", score=score, view=view
        )
        for score in scores
        for view in AllocationView
    )


@dataclass(frozen=True)
class Decision:
    """What all strategies want after a session.

    Attributes
    ----------
    weights : (strategies, symbols of the market), ours first; NaN where nothing was found, and what
        is held is kept.
    relaxed : (ours,) whether a limit had to give way.
    cash_for_bonds : whether 60/40 had to hold cash, since there was no bond.
    """

    weights: Floats
    relaxed: Mask
    cash_for_bonds: bool


def decide(
    market: Market,
    forecasts: RunForecasts,
    policy: Policy,
    scores: tuple[int, ...],
    current: Floats,
    is_limited: Mask,
) -> Decision:
    """Return the targets of our portfolios and of the benchmarks, by what the market shows.

    Ours go the way of an account's: prior and views, bounds, relaxation, one batch of problems.
    The client has no wishes, bears any loss and may hold as many hundredths in risky classes as
    the score says, as profiles do.

    Parameters
    ----------
    current : (ours, symbols of the market) drifted weights.
    is_limited : (ours,) whether turnover is limited; a first portfolio is free.
    """
    outlook = make_outlook(market, forecasts, policy)
    asked = np.array(scores, np.float64)
    risky = _by_view(asked / 100)
    volatility = aimed_volatility(
        _by_view(target_volatility(asked, policy)), risky, market, outlook
    )
    exposure = least_exposure(volatility, outlook, policy)
    wanted = _limits(market, policy, risky, exposure, current, is_limited)
    relaxed = relax(wanted, outlook.today)
    expected = np.tile(outlook.view_returns, (len(scores), 1))
    tolerance = risk_tolerance(volatility, outlook.reference_volatility, policy)
    cost = np.full(current.shape, policy.cost_bps / _BPS * policy.cost_share)
    limits = {
        each.name: getattr(relaxed.limits, each.name)
        for each in fields(Wanted)
        if each.name != "wish_upper"
    }
    problems = Problems(expected, tolerance, buy_cost=cost, sell_cost=cost, **limits)
    solved = solve(outlook.today, problems, policy).weights
    least = solve(outlook.today, _least_variance(market), policy).weights
    sixty_forty, cash_for_bonds = _sixty_forty(market, policy)
    count = len(market.symbols)
    return Decision(
        weights=np.vstack(
            [solved, np.full(count, 1 / count), sixty_forty, least, market.reference_weights]
        ),
        relaxed=relaxed.relaxed > 0,
        cash_for_bonds=cash_for_bonds,
    )


def _by_view(values: Floats) -> Floats:
    return np.repeat(values, len(AllocationView))


def _limits(
    market: Market,
    policy: Policy,
    risky: Floats,
    exposure: Floats,
    current: Floats,
    is_limited: Mask,
) -> Wanted:
    rows, classes = len(risky), len(market.classes)
    class_upper = [policy.class_limits[AssetClass(name)].class_weight for name in market.classes]
    invested_upper = 1 - policy.cash_floor_weight
    return Wanted(
        lower=np.zeros_like(current),
        upper=np.tile(symbol_limits(market, policy), (rows, 1)),
        wish_upper=np.ones_like(current),
        class_lower=np.zeros((rows, classes)),
        class_upper=np.tile(class_upper, (rows, 1)),
        invested_lower=np.minimum(exposure, invested_upper),
        invested_upper=np.full(rows, invested_upper),
        risky_upper=risky,
        turnover=np.where(is_limited, policy.max_turnover, np.inf),
        current=current,
    )


def _least_variance(market: Market) -> Problems:
    """Return the problem of the fully invested long-only portfolio of least variance."""
    shape, classes = (1, len(market.symbols)), (1, len(market.classes))
    nothing, all_of_it = np.zeros(shape), np.ones(1)
    return Problems(
        expected=nothing,
        tolerance=np.ones(1),
        current=nothing,
        buy_cost=nothing,
        sell_cost=nothing,
        lower=nothing,
        upper=np.ones(shape),
        class_lower=np.zeros(classes),
        class_upper=np.ones(classes),
        invested_lower=all_of_it,
        invested_upper=all_of_it,
        risky_upper=all_of_it,
        turnover=np.full(1, np.inf),
    )


def _sixty_forty(market: Market, policy: Policy) -> tuple[Floats, bool]:
    """Return 60 % in risky symbols and 40 % in safe ones, in cash if there are none.

    Within both in proportion to reference weights; in equal parts where these have none.
    """
    safe = np.array(
        [market.instruments[each].asset_class in policy.safe_classes for each in market.symbols]
    )
    weights = np.zeros(len(safe))
    for chosen, share in ((~safe, _RISKY_SHARE), (safe, 1 - _RISKY_SHARE)):
        reference = market.reference_weights[chosen]
        if not reference.sum() > 0:
            reference = np.ones(len(reference))
        weights[chosen] = share * reference / reference.sum()
    return weights, not safe.any()
