"""One account's advice: whether to act, the target, the trades and why."""

from dataclasses import dataclass

import numpy as np

from models.vocabulary import CASH, Outcome, Trigger
from pipelines.rebalance.arrays import Vector
from pipelines.rebalance.inputs.accounts import Account
from pipelines.rebalance.inputs.last_targets import LastTarget
from pipelines.rebalance.inputs.screening import unusable_because
from pipelines.rebalance.limits.account_limits import AccountLimits, InfeasibleError, account_limits
from pipelines.rebalance.limits.drift import drift, outside_band
from pipelines.rebalance.market.aversion import account_aversion
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.reasons import sentences
from pipelines.rebalance.reasons.path import Attribution
from pipelines.rebalance.reasons.reason import Reason
from pipelines.rebalance.solver.definition import Limits, Solution, UnsolvedError
from pipelines.rebalance.trades.scalar.book import Book
from pipelines.rebalance.trades.scalar.orders import Orders, grain_cents, lot_micros
from pipelines.rebalance.trades.scalar.sizing import size_trades
from pipelines.rebalance.trades.scalar.weights import NANOS, Target, clean


@dataclass(frozen=True)
class NewTarget:
    """A verified target with the limits that it keeps to and the weights it starts from."""

    target: Target
    limits: AccountLimits
    current: Vector  # all symbols and cash
    solution: Solution


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What a run does with one account.

    ``new`` is None where no target was written; ``last`` None where none ever was. ``relaxed``
    names the constraints that the target in force, new or last, had to give up. ``reasons`` are
    aligned with ``orders.orders``.
    """

    account: Account
    outcome: Outcome
    trigger: Trigger
    last: LastTarget | None
    new: NewTarget | None
    relaxed: tuple[str, ...]
    drift: float | None
    orders: Orders
    reasons: tuple[Reason, ...]
    sentence: str


class Advisor:
    """Advises the accounts of a run one by one; no account's advice depends on another's.

    Parameters
    ----------
    market, outlook : what all accounts share.
    policy : the house's rules.
    """

    def __init__(self, market: Market, outlook: Outlook, policy: Policy) -> None:
        self._market = market
        self._outlook = outlook
        self._policy = policy
        self._attribution = Attribution(market, outlook, policy)

    def advise(self, account: Account, last: LastTarget | None) -> Advice:
        """Return the advice for one account; whatever is wrong with it ends in an outcome."""
        reason = unusable_because(account, self._market)
        if reason is not None:
            return self._left_alone(account, last, Outcome.HELD, sentences.held(reason))
        try:
            limits = account_limits(
                account, self._market, self._outlook.reference_volatility, self._policy
            )
        except InfeasibleError as error:
            return self._left_alone(account, last, Outcome.HELD, sentences.held(str(error)))
        current = self._current_weights(account)
        trigger = self._trigger(account, last, limits.limits, current)
        if trigger is Trigger.NONE:
            return self._unchanged(account, last, limits, current)
        try:
            return self._retargeted(account, last, limits, current, trigger)
        except UnsolvedError:
            return self._left_alone(account, last, Outcome.FAILED, sentences.failed())

    def _trigger(
        self, account: Account, last: LastTarget | None, limits: Limits, current: Vector
    ) -> Trigger:
        if last is None:
            return Trigger.FIRST_ADVICE
        symbols = self._market.symbols
        uppers = [last.upper_bounds.get(symbol) for symbol in symbols]
        known = {symbol for symbol in last.weights if symbol != CASH}
        if (
            last.risk_score != account.risk_score
            or known != set(symbols)
            or uppers != limits.upper.tolist()
        ):
            return Trigger.PROFILE_CHANGE
        weights = last.fractions(symbols)
        # Class and cash limits also change while every symbol's stays: a buffer weighs more in an
        # account that shrinks. A target that breaks them is no destination any more.
        cash_leeway = self._policy.narrowest_band
        if not limits.allows(weights, self._market.membership, cash_leeway):
            return Trigger.PROFILE_CHANGE
        if self._must_trade(account, current, weights):
            return Trigger.DRIFT
        return Trigger.NONE

    def _retargeted(
        self,
        account: Account,
        last: LastTarget | None,
        limits: AccountLimits,
        current: Vector,
        trigger: Trigger,
    ) -> Advice:
        new = self._solve(account, limits, current)
        weights = new.target.as_fractions()
        gap = drift(current, weights)
        book = self._book(account, new)
        orders = size_trades(book, self._policy)
        if not orders.orders or not self._must_trade(account, current, weights):
            return Advice(
                account=account,
                outcome=_outcome(limits, Outcome.WITHIN_BAND),
                trigger=trigger,
                last=last,
                new=new,
                relaxed=limits.relaxed,
                drift=gap,
                orders=self._no_orders(account),
                reasons=(),
                sentence=sentences.near_new_target(trigger, limits.relaxed),
            )
        return Advice(
            account=account,
            outcome=_outcome(limits, Outcome.REBALANCED),
            trigger=trigger,
            last=last,
            new=new,
            relaxed=limits.relaxed,
            drift=gap,
            orders=orders,
            reasons=self._attribution.reasons(account, last, limits.limits, book, orders),
            sentence=sentences.traded(trigger, len(orders.orders), gap, limits.relaxed),
        )

    def _solve(self, account: Account, limits: AccountLimits, current: Vector) -> NewTarget:
        solution = self._outlook.with_cost.solve(
            self._outlook.expected_returns,
            account_aversion(account, self._outlook.reference_volatility, self._policy),
            limits.limits,
            current=current[:-1],
            cost_rate=self._policy.cost_bps / 10_000,
        )
        target = clean(solution.weights, limits.limits, self._market.membership)
        return NewTarget(target, limits, current, solution)

    def _book(self, account: Account, new: NewTarget) -> Book:
        wealth, limits = account.wealth_cents, new.limits.limits
        prices = self._market.price_micros
        return Book(
            held=self._held(account),
            target=new.target.quantities(wealth, prices),
            price_micros=prices,
            upper_nanos=[int(bound) for bound in np.floor(limits.upper * NANOS)],
            class_of=self._market.membership.argmax(axis=0).tolist(),
            class_upper_nanos=[int(bound) for bound in np.floor(limits.class_upper * NANOS)],
            wealth_cents=wealth,
            cash_cents=account.cash_cents,
            buffer_cents=account.cash_buffer_cents,
            reserve_cents=max(account.cash_buffer_cents, new.target.cash_cents(wealth)),
            lot_micros=lot_micros(account.share_kind, self._policy),
        )

    def _unchanged(
        self,
        account: Account,
        last: LastTarget | None,
        limits: AccountLimits,
        current: Vector,
    ) -> Advice:
        assert last is not None  # noqa: S101 - without a last target there is a trigger
        return Advice(
            account=account,
            outcome=_outcome(limits, Outcome.WITHIN_BAND),
            trigger=Trigger.NONE,
            last=last,
            new=None,
            relaxed=limits.relaxed,
            drift=drift(current, last.fractions(self._market.symbols)),
            orders=self._no_orders(account),
            reasons=(),
            sentence=sentences.unchanged(limits.relaxed),
        )

    def _left_alone(
        self, account: Account, last: LastTarget | None, outcome: Outcome, sentence: str
    ) -> Advice:
        return Advice(
            account=account,
            outcome=outcome,
            trigger=Trigger.NONE,
            last=last,
            new=None,
            relaxed=(),
            drift=None,
            orders=self._no_orders(account),
            reasons=(),
            sentence=sentence,
        )

    def _must_trade(self, account: Account, current: Vector, target: Vector) -> bool:
        # The buffer is the client's limit and no band applies to it: it may have been raised, or
        # cash withdrawn, by less than the band around the target's cash.
        if account.cash_cents < account.cash_buffer_cents:
            return True
        grains = [
            grain_cents(account.share_kind, price, self._policy)
            for price in self._market.price_micros
        ]
        return outside_band(current, target, np.array(grains) / account.wealth_cents, self._policy)

    def _current_weights(self, account: Account) -> Vector:
        values = [
            account.positions[symbol].value_cents or 0 if symbol in account.positions else 0
            for symbol in self._market.symbols
        ]
        return np.array([*values, account.wealth_cents - sum(values)]) / account.wealth_cents

    def _held(self, account: Account) -> list[int]:
        return [
            account.positions[symbol].quantity_micros if symbol in account.positions else 0
            for symbol in self._market.symbols
        ]

    @staticmethod
    def _no_orders(account: Account) -> Orders:
        return Orders((), (), account.cash_cents)


def _outcome(limits: AccountLimits, otherwise: Outcome) -> Outcome:
    """Return ``relaxed`` where constraints were given up, whether or not a trade follows."""
    return Outcome.RELAXED if limits.relaxed else otherwise
