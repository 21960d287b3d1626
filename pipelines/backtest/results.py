"""What a walk came to: one row of figures for each strategy, and what has to be said beside it."""

from dataclasses import dataclass

import numpy as np

from models.vocabulary import HORIZON_SESSIONS, AllocationView
from pipelines.backtest.history import History
from pipelines.backtest.statistics import (
    Difference,
    annual_return,
    annual_volatility,
    deflated_sharpes,
    difference,
    distinct_trials,
    drawdowns,
    sharpe_ratio,
    sharpe_standard_error,
    worst_year,
)
from pipelines.backtest.strategies import Strategy
from pipelines.backtest.views import ViewRecord
from pipelines.backtest.walk import Walk
from pipelines.rebalance.market.risk import SESSIONS_PER_YEAR
from pipelines.rebalance.policy import Policy

_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Row:
    """Figures of one strategy, net of costs; returns, turnover and costs are shares a year.

    Attributes
    ----------
    sharpe, sharpe_error : annual, of returns above cash, and the standard error.
    deflated_sharpe : probability that it is not the best of so many trials by luck.
    worst_drawdown : 0 or negative.
    turnover : bought and sold together, without the first purchase.
    cost : paid, without that of the first purchase.
    worst_year, worst_year_return : calendar year.
    against_no_view : ours with the same score, without views; benchmarks are held against the
        middle score's. None for those portfolios themselves.
    """

    strategy: Strategy
    annual_return: float
    annual_volatility: float
    sharpe: float
    sharpe_error: float
    deflated_sharpe: float
    worst_drawdown: float
    turnover: float
    cost: float
    worst_year: int
    worst_year_return: float
    against_no_view: Difference | None


def rows_of(walk: Walk, history: History) -> tuple[Row, ...]:
    """Return the figures of all strategies, in the walk's order."""
    excess = walk.excess
    deflated = deflated_sharpes(excess)
    years = history.sessions[walk.start :].astype("datetime64[Y]").astype(int) + 1970
    lowest = drawdowns(walk.wealth).min(axis=0)
    rebalances_per_year = SESSIONS_PER_YEAR / HORIZON_SESSIONS
    scale = np.sqrt(SESSIONS_PER_YEAR)
    rows = []
    for number, strategy in enumerate(walk.strategies):
        wealth = walk.wealth[:, number]
        other = _no_view(walk.strategies, strategy)
        year, year_return = worst_year(wealth, years)
        rows.append(
            Row(
                strategy=strategy,
                annual_return=annual_return(wealth),
                annual_volatility=annual_volatility(excess[:, number]),
                sharpe=sharpe_ratio(excess[:, number]) * scale,
                sharpe_error=sharpe_standard_error(excess[:, number]) * scale,
                deflated_sharpe=float(deflated[number]),
                worst_drawdown=float(lowest[number]),
                turnover=_mean(walk.turnover[1:, number]) * rebalances_per_year,
                cost=_mean(walk.cost[1:, number]) * rebalances_per_year,
                worst_year=year,
                worst_year_return=year_return,
                against_no_view=(
                    None if other == number else difference(wealth, walk.wealth[:, other])
                ),
            )
        )
    return tuple(rows)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _no_view(strategies: tuple[Strategy, ...], strategy: Strategy) -> int:
    score = middle_score(strategies) if strategy.score is None else strategy.score
    return next(
        number
        for number, each in enumerate(strategies)
        if each.view is AllocationView.NONE and each.score == score
    )


def middle_score(strategies: tuple[Strategy, ...]) -> int:
    """Return the risk score in the middle of those that were tried; of two the lower."""
    scores = sorted({each.score for each in strategies if each.score is not None})
    return scores[(len(scores) - 1) // 2]


def worth_of_views(rows: tuple[Row, ...]) -> str:
    """Return in a sentence what forecasts did for our portfolios."""
    found = [row.against_no_view for row in rows if row.strategy.view and row.against_no_view]
    p_values = [each.p_value for each in found if each.p_value is not None]
    if not p_values:
        return (
            "Forecasts made no difference: none had earned any confidence, so with and without "
            "them our portfolios are the same."
        )
    better = sum(
        each.annual > 0 and each.p_value is not None and each.p_value < _SIGNIFICANT
        for each in found
    )
    return (
        f"Of {len(found)} portfolios with a view, {len(p_values)} differ from the one without, and "
        f"{better} grew faster by more than chance explains (p below {_SIGNIFICANT})."
    )


def remarks(
    walk: Walk, history: History, lstm: ViewRecord, moving_average: ViewRecord, policy: Policy
) -> tuple[str, ...]:
    """Return what a reader must know before believing the figures."""
    return (
        _hindsight(walk, history),
        f"After every {HORIZON_SESSIONS}st session portfolios are decided on what was known then, "
        f"and traded at the close of the next; {policy.cost_bps} basis points of what is bought or "
        f"sold are paid. Cash earns {policy.risk_free_rate:.1%} a year, assumed: where it "
        "earned more, as in the 1990s, Sharpe ratios flatter. No tax, no whole shares. Ours trade "
        "as accounts do, where a weight has left its drift band or there is something new to buy: "
        f"{_trading(walk)} of the decisions. Benchmarks trade at each.",
        _lstm(walk, history, lstm),
        _moving_average(walk, moving_average),
        _sixty_forty(walk),
        "The deflated Sharpe ratio asks whether a portfolio earned more than cash by more than the "
        "luck of the best of several. It is near 1 for whoever held shares so long, and says "
        "nothing of forecasts: for those, see the last column. It counts "
        f"{len(distinct_trials(walk.excess))} trials, the portfolios here that differ; they "
        "resemble each other, so it deflates little, and what was tried before nobody counted.",
        f"In {len(walk.decided)} decisions {walk.investable.min()} to {walk.investable.max()} "
        f"symbols could be bought; of our {walk.made} targets {walk.relaxed} needed a limit to "
        f"give way, and {walk.held} more could not be found, so that what was held was kept.",
    )


def _trading(walk: Walk) -> str:
    """Return in how many of the decisions ours traded, from the laziest to the busiest."""
    ours = [number for number, each in enumerate(walk.strategies) if each.score is not None]
    shares = (walk.turnover[:, ours] > 0).mean(axis=0)
    return f"{shares.min():.0%} to {shares.max():.0%}"


def _hindsight(walk: Walk, history: History) -> str:
    traded = (walk.weights > 0).any(axis=(0, 1))
    member = history.member[walk.start :][:, traded] | ~history.observed[walk.start :][:, traded]
    if member.all():
        return (
            "HINDSIGHT: this universe was chosen after the fact. Every symbol is a member since "
            "its first price, so what failed or was forgotten is not here, and all figures, those "
            "of 1/N above all, are higher than anybody could have earned. Compare rows; believe "
            "no level."
        )
    return (
        "A symbol counts from the day its universe took it to the day it left; but classes and "
        "reference weights are today's, and who drew up the universe may have known the outcome."
    )


def _lstm(walk: Walk, history: History, view: ViewRecord) -> str:
    if view.first is None:
        return (
            "LSTM view: no training has kept out-of-sample forecasts, so it is the no-view "
            "portfolio throughout."
        )
    return (
        f"LSTM view: it starts where out-of-sample forecasts exist, {history.sessions[view.first]},"
        " and is there only in the validation ranges that the training kept, "
        f"{_share_with_forecasts(walk, view):.0%} of the decisions. {_confidence(walk, view)}"
    )


def _moving_average(walk: Walk, view: ViewRecord) -> str:
    return (
        "Moving-average view: fitted anew each year on outcomes realised by then, the best so far "
        f"of three; {_share_with_forecasts(walk, view):.0%} of the decisions have it. "
        f"{_confidence(walk, view)}"
    )


def _share_with_forecasts(walk: Walk, view: ViewRecord) -> float:
    return float(np.isfinite(view.mean[walk.decided]).any(axis=1).mean())


def _confidence(walk: Walk, view: ViewRecord) -> str:
    earned = np.where(
        np.isfinite(view.mean[walk.decided]).any(axis=1), view.confidence[walk.decided], 0.0
    )
    if not earned.any():
        return "Its confidence, earned on what was realised by then, is zero throughout: no effect."
    return (
        "Its confidence, earned on what was realised by then against each symbol's own mean so "
        f"far and the mean of all, is zero in {np.mean(earned == 0):.0%} of the decisions and up "
        f"to {earned.max():.2f}."
    )


def _sixty_forty(walk: Walk) -> str:
    words = "60/40 holds 60 % in risky symbols and 40 % in bonds, each by reference weights"
    if walk.cash_for_bonds == 0:
        return f"{words}."
    return f"{words}; at {walk.cash_for_bonds:.0%} of the decisions there was none, and it is cash."
