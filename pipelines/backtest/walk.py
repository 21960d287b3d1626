"""The walk forward: decide after every 21st session, trade at the next close, and drift."""

from dataclasses import dataclass

import numpy as np

from models.vocabulary import HORIZON_SESSIONS
from pipelines.backtest.history import History
from pipelines.backtest.in_force import TargetsInForce
from pipelines.backtest.portfolios import Portfolios
from pipelines.backtest.strategies import BENCHMARKS, Strategy, decide, ours
from pipelines.backtest.views import ViewRecord
from pipelines.errors import RebalanceError
from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.market.forecasts import RunForecasts
from pipelines.rebalance.market.risk import SESSIONS_PER_YEAR
from pipelines.rebalance.policy import Policy

LEAST_SYMBOLS = 2
_BPS = 10_000


@dataclass(frozen=True)
class Walk:
    """What became of every strategy.

    Attributes
    ----------
    strategies : names of the columns.
    start : position, on the history's sessions, of the first decision; wealth is 1 then.
    wealth : (sessions since the start, strategies), net of costs.
    decided : (decisions,) positions after which was decided; traded was a session later.
    targets : (decisions, strategies, symbols) as decided; NaN where what is held is kept.
    weights : (decisions, strategies, symbols) after trading.
    turnover, cost : (decisions, strategies) bought and sold, and paid, as shares of wealth.
    investable : (decisions,) how many symbols could be bought.
    made : how many targets of ours were made.
    held : how many were to be made, but none was found, so that what was held was kept.
    relaxed : how many of them needed a limit to give way.
    cash_for_bonds : share of the decisions at which 60/40 held cash for want of a bond.
    cash_return : simple, per session.
    """

    strategies: tuple[Strategy, ...]
    start: int
    wealth: Floats
    decided: Integers
    targets: Floats
    weights: Floats
    turnover: Floats
    cost: Floats
    investable: Integers
    made: int
    held: int
    relaxed: int
    cash_for_bonds: float
    cash_return: float

    @property
    def excess(self) -> Floats:
        """Simple returns above cash, (sessions, strategies)."""
        return self.wealth[1:] / self.wealth[:-1] - 1 - self.cash_return


def walk_forward(
    history: History,
    lstm: ViewRecord,
    moving_average: ViewRecord,
    policy: Policy,
    scores: tuple[int, ...],
    begin: int = 0,
) -> Walk:
    """Invest by all strategies from the first session on at which two symbols were investable.

    After a session t nothing is looked at that came later; trades are made at the close of t + 1
    and all pay ``policy.cost_bps`` of what they buy and sell. Ours trade as accounts do, outside
    the drift bands around the target in force; benchmarks at every decision.

    Parameters
    ----------
    begin : first position that may be decided at.

    Raises
    ------
    RebalanceError
        There never were two symbols with enough history.
    """
    strategies = (*ours(scores), *BENCHMARKS)
    start = _first_decision(history, policy, begin)
    decided = np.arange(start, len(history.sessions) - 1, HORIZON_SESSIONS)
    book = Portfolios.in_cash(len(strategies), len(history.symbols))
    cash_return = (1 + policy.risk_free_rate) ** (1 / SESSIONS_PER_YEAR) - 1
    wealth, rebalances = [np.ones((1, len(strategies)))], []
    in_force = TargetsInForce.none(len(strategies) - len(BENCHMARKS), len(history.symbols))
    views = (lstm, moving_average)
    for position in decided.tolist():
        aimed = _aim(history, position, views, policy, scores, book.weights, in_force)
        traded_at = position + 1
        end = min(position + HORIZON_SESSIONS, len(history.sessions) - 1)
        at_close = book.drift(history.simple_return[traded_at : traded_at + 1], cash_return)
        turnover, cost = book.trade(aimed.weights, policy.cost_bps / _BPS)
        rebalances.append(_Rebalance(aimed, book.weights, turnover, cost))
        later = book.drift(history.simple_return[traded_at + 1 : end + 1], cash_return)
        wealth += [at_close * (1 - cost), later]
    return Walk(
        strategies=strategies,
        start=start,
        wealth=np.concatenate(wealth),
        decided=decided,
        targets=np.stack([each.aim.weights for each in rebalances]),
        weights=np.stack([each.weights for each in rebalances]),
        turnover=np.stack([each.turnover for each in rebalances]),
        cost=np.stack([each.cost for each in rebalances]),
        investable=np.array([each.aim.investable for each in rebalances]),
        made=sum(each.aim.made for each in rebalances),
        held=sum(each.aim.held for each in rebalances),
        relaxed=sum(each.aim.relaxed for each in rebalances),
        cash_for_bonds=float(np.mean([each.aim.cash_for_bonds for each in rebalances])),
        cash_return=cash_return,
    )


@dataclass(frozen=True)
class _Aim:
    """Targets over all symbols, NaN where what is held is kept, and how they came about."""

    weights: Floats
    investable: int
    made: int = 0
    held: int = 0
    relaxed: int = 0
    cash_for_bonds: bool = False


@dataclass(frozen=True)
class _Rebalance:
    """An aim, and what the portfolios were and paid once it was traded to."""

    aim: _Aim
    weights: Floats
    turnover: Floats
    cost: Floats


def _aim(
    history: History,
    position: int,
    views: tuple[ViewRecord, ViewRecord],
    policy: Policy,
    scores: tuple[int, ...],
    drifted: Floats,
    in_force: TargetsInForce,
) -> _Aim:
    """Return what all strategies want after a session; what cannot be bought any more is sold."""
    columns = history.investable(position, policy)
    if len(columns) < LEAST_SYMBOLS:
        return _Aim(np.full(drifted.shape, np.nan), len(columns))
    lstm, moving_average = (view.known_at(position, history.symbols, columns) for view in views)
    own = len(drifted) - len(BENCHMARKS)
    can_buy = np.isin(np.arange(len(history.symbols)), columns)
    due = in_force.is_due(drifted[:own], can_buy, policy)
    decision = decide(
        history.market(position, columns, policy),
        RunForecasts(serving=(), lstm=lstm, moving_average=moving_average),
        policy,
        scores,
        drifted[:own, columns],
        ~in_force.is_changed(can_buy),
    )
    weights = np.zeros_like(drifted)
    weights[:, columns] = decision.weights
    is_found = np.isfinite(decision.weights[:own]).all(axis=1)
    weights[:own] = in_force.replace(due, weights[:own], drifted[:own], can_buy, policy)
    return _Aim(
        weights=weights,
        investable=len(columns),
        made=int((due & is_found).sum()),
        held=int((due & ~is_found).sum()),
        relaxed=int((due & decision.relaxed).sum()),
        cash_for_bonds=decision.cash_for_bonds,
    )


def _first_decision(history: History, policy: Policy, begin: int) -> int:
    for position in range(begin, len(history.sessions) - 1):
        if len(history.investable(position, policy)) >= LEAST_SYMBOLS:
            return position
    raise RebalanceError(
        "sessions on which two symbols could be bought",
        0,
        f"no two tradable members have {policy.minimum_history_sessions} returns together from "
        "the first session asked for on",
        "Begin earlier, load more history, or let instruments.csv say what is tradable.",
    )
