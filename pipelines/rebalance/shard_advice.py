"""The advice of one shard: every step from its bounds to its sentences, each a function of arrays.

Nothing here adds up over accounts of different clients, and no step begins from another goal's
answer: an account's advice depends on its own client's rows and on the market alone.
"""

import dataclasses
import datetime as dt
from dataclasses import dataclass

import numpy as np
from threadpoolctl import ThreadpoolController

from pipelines.rebalance.advice import Reasons, ShardAdvice, Views
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.decisions import Decisions, decide, solved_goals
from pipelines.rebalance.goal_problems import advised_accounts, start_of, target_problems
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.make_bounds import make_bounds
from pipelines.rebalance.limits.triggers import trigger_of
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.outcomes import tell
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.reasons.account_sentences import account_sentences
from pipelines.rebalance.reasons.paths import Plan, causes_of
from pipelines.rebalance.reasons.sentences import trade_sentences
from pipelines.rebalance.reasons.views import view_targets
from pipelines.rebalance.solver.problems import Solutions
from pipelines.rebalance.solver.solve import solve
from pipelines.rebalance.trades.harvest import (
    Harvest,
    Opportunities,
    find_opportunities,
    harvest,
    substitutes_of,
)
from pipelines.rebalance.trades.location import locate
from pipelines.rebalance.trades.orders import is_tradable
from pipelines.rebalance.trades.sized import Sized, Targets
from pipelines.rebalance.trades.weights import NO_TARGET, clean
from pipelines.rebalance.trading import trade

_NUMERICAL_LIBRARIES = ThreadpoolController()
"""Looked for once, when all have been imported: it takes longer than to advise some accounts."""


def advise(
    shard: Shard, market: Market, outlook: Outlook, policy: Policy, session: dt.date
) -> ShardAdvice:
    """Return all advice of a shard; whatever is wrong with an account ends in its outcome.

    Numerical libraries are held to one thread, so that the number of cores changes no bit.

    Parameters
    ----------
    shard : all accounts of some clients.
    market, outlook : what all shards of a run share.
    policy : the house's rules.
    session : the exchange session that is advised on.
    """
    with _NUMERICAL_LIBRARIES.limit(limits=1):
        return _Shard(shard, market, outlook, policy, session).advise()


@dataclass(frozen=True)
class _Aimed:
    """Targets, and what they come from.

    Attributes
    ----------
    rows : goals that were to have a new target.
    located_nanos : (accounts, symbols + 1) targets in force before losses were harvested.
    is_harvested : (accounts,).
    """

    rows: Integers
    solutions: Solutions
    targets: Targets
    located_nanos: Integers
    is_harvested: Mask


class _Shard:
    """A shard on its way through the steps; it holds what all of them share."""

    def __init__(
        self, shard: Shard, market: Market, outlook: Outlook, policy: Policy, session: dt.date
    ) -> None:
        self.shard, self.market, self.outlook = shard, market, outlook
        self.policy, self.session = policy, session
        self.bounds = make_bounds(shard, market, outlook, policy)
        self.start = start_of(shard, market, session, policy, self.bounds)

    def advise(self) -> ShardAdvice:
        shard, market, policy = self.shard, self.market, self.policy
        losses = find_opportunities(shard, market, self.session, policy)
        # Of a loss that has no substitute nothing comes, so it makes no goal be solved each day.
        harvests = self._harvest(shard.accounts.last_nanos, losses).is_harvested
        trigger = trigger_of(shard, self.bounds, market, policy, harvests)
        aimed = self._aim(solved_goals(shard, self.bounds, trigger), losses)
        decisions = decide(
            shard, self.bounds, trigger, aimed.targets, aimed.is_harvested, market, policy
        )
        traded = trade(
            shard, aimed.targets.account_nanos, self.bounds, decisions, market, policy, self.session
        )
        told = tell(
            shard, self.bounds, decisions, aimed.rows, aimed.targets, traded.sized,
            self.outlook.today,
        )  # fmt: skip
        return ShardAdvice(
            shard=shard,
            bounds=self.bounds,
            targets=aimed.targets,
            solutions=aimed.solutions,
            sized=traded.sized,
            lot_sales=traded.lot_sales,
            reasons=self._reasons(aimed, decisions, traded.sized, traded.is_buy_blocked),
            views=self._views(aimed),
            outcome=told.outcome,
            trigger=told.trigger,
            drift=told.drift,
            sentence=account_sentences(shard.accounts, told),
        )

    def _aim(self, rows: Integers, losses: Opportunities) -> _Aimed:
        """Give some goals new targets, and take losses in their accounts."""
        shard, market = self.shard, self.market
        solutions, goal_nanos = self._solve(rows)
        is_new = goal_nanos[:, 0] != NO_TARGET
        account_is_new = np.append(is_new, False)[shard.accounts.goal]
        located = np.where(
            account_is_new[:, None], locate(shard, goal_nanos, market), self._last_nanos()
        )
        is_open = account_is_new & (located[:, 0] != NO_TARGET)
        open_losses = Opportunities(
            *(
                np.where(is_open[:, None], of, 0)
                for of in (losses.quantity_micros, losses.loss_cents)
            )
        )
        taken = self._harvest(located, open_losses)
        return _Aimed(
            rows,
            solutions,
            Targets(goal_nanos, taken.account_nanos, is_new),
            located,
            taken.is_harvested,
        )

    def _last_nanos(self) -> Integers:
        """Return the last targets of accounts that can be advised on and traded."""
        prices = np.array(self.market.price_micros, dtype=np.int64)
        keeps = advised_accounts(self.shard, self.bounds) & is_tradable(self.shard.accounts, prices)
        return np.where(keeps[:, None], self.shard.accounts.last_nanos, NO_TARGET)

    def _harvest(self, account_nanos: Integers, losses: Opportunities) -> Harvest:
        return harvest(
            self.shard,
            account_nanos,
            losses,
            substitutes_of(self.market, self.outlook.today.covariance),
            self.bounds.upper,
            self.market,
            self.policy,
        )

    def _solve(self, rows: Integers) -> tuple[Solutions, Integers]:
        """Return a row per goal: its solution and its target, where it was to have a new one."""
        problems = target_problems(self.bounds, rows, self.outlook.expected_returns, self.start)
        risk = self.outlook.today
        found = solve(risk, problems, self.policy)
        goals, symbols = self.bounds.lower.shape
        nanos = np.full((goals, symbols + 1), NO_TARGET, np.int64)
        nanos[rows] = clean(found.weights, problems, risk.class_of, risk.is_risky)
        solutions = Solutions(
            weights=np.full((goals, symbols), np.nan),
            objective=np.full(goals, np.nan),
            kkt_residual=np.full(goals, np.nan),
            solver=np.full(goals, -1, np.int8),
        )
        for field in dataclasses.fields(Solutions):
            getattr(solutions, field.name)[rows] = getattr(found, field.name)
        return solutions, nanos

    def _reasons(
        self, aimed: _Aimed, decisions: Decisions, sized: Sized, is_buy_blocked: Mask
    ) -> Reasons:
        plan = Plan(
            goal_nanos=aimed.targets.goal_nanos,
            located_nanos=aimed.located_nanos,
            sized_nanos=aimed.targets.account_nanos,
            is_flow_only=decisions.is_flow_only,
            is_held_by_tax=is_buy_blocked,
        )
        causes, is_complete = causes_of(
            self.shard, self.market, self.outlook, self.policy, self.bounds, self.start, plan, sized
        )
        account, symbol = np.nonzero(sized.traded_micros)
        traded = sized.traded_micros[account, symbol]
        sentence = trade_sentences(self.market, symbol, traded, causes, is_complete)
        return Reasons(causes, sentence, is_complete)

    def _views(self, aimed: _Aimed) -> Views:
        return view_targets(
            self.shard, self.market, self.outlook, self.policy, self.bounds, self.start,
            aimed.targets.goal_nanos, aimed.located_nanos,
        )  # fmt: skip
