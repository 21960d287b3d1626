"""The path of targets that a trade's reasons are read from."""

import logging

import numpy as np

from pipelines.rebalance.arrays import Vector
from pipelines.rebalance.inputs.accounts import Account
from pipelines.rebalance.inputs.last_targets import LastTarget
from pipelines.rebalance.limits.account_limits import unbounded_limits
from pipelines.rebalance.market.aversion import account_aversion
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.reasons.reason import Path, Reason, explain
from pipelines.rebalance.solver.definition import AllocationModel, Limits, UnsolvedError
from pipelines.rebalance.trades.scalar.book import Book
from pipelines.rebalance.trades.scalar.orders import Orders
from pipelines.rebalance.trades.scalar.weights import NANOS, Target, clean

logger = logging.getLogger(__name__)


class Attribution:
    """Solves the steps between holdings and target, and reads the reasons off them.

    Steps without trading cost do not depend on what an account holds, so accounts with the same
    score and limits share them.
    """

    def __init__(self, market: Market, outlook: Outlook, policy: Policy) -> None:
        self._market = market
        self._outlook = outlook
        self._policy = policy
        self._unbounded = unbounded_limits(market)
        self._shared: dict[tuple[str, float, bytes], Target] = {}

    def reasons(
        self,
        account: Account,
        last: LastTarget | None,
        limits: Limits,
        book: Book,
        orders: Orders,
    ) -> tuple[Reason, ...]:
        """Return the reason of each order, in their order.

        A step without a verified optimum is left out, and what it would have explained counts with
        the next step; the target itself was verified, so its trades stand and say what is missing.
        """
        outlook, unbounded = self._outlook, self._unbounded
        aversion = account_aversion(account, outlook.reference_volatility, self._policy)
        last_quantities = (
            None
            if last is None
            else self._last(last).quantities(account.wealth_cents, book.price_micros)
        )
        steps: dict[str, list[int]] = {}
        at = book.held if last_quantities is None else last_quantities
        unsolved = []
        for cause, model, returns, bounds in (
            ("profile", outlook.long_run, outlook.long_run_prior, unbounded),
            ("constraints", outlook.long_run, outlook.long_run_prior, limits),
            ("risk_model", outlook.today, outlook.todays_prior, limits),
            ("forecast", outlook.today, outlook.expected_returns, limits),
        ):
            try:
                target = self._target(cause, model, returns, aversion, bounds)
            except UnsolvedError as error:
                logger.warning(
                    "account %s: %s not told apart: %s", account.account_id, cause, error
                )
                unsolved.append(cause)
            else:
                at = target.quantities(account.wealth_cents, book.price_micros)
            steps[cause] = at
        path = Path(
            held=book.held,
            last=last_quantities,
            settled=orders.settled,
            is_complete=not unsolved,
            **steps,
        )
        symbols, instruments = self._market.symbols, self._market.instruments
        return tuple(
            explain(order, path, instruments[symbols[order.position]]) for order in orders.orders
        )

    def _target(
        self, cause: str, model: AllocationModel, returns: Vector, aversion: float, limits: Limits
    ) -> Target:
        cash = np.array([limits.cash_floor, limits.cash_ceiling])
        bounds = limits.upper.tobytes() + limits.class_upper.tobytes() + cash.tobytes()
        key = (cause, aversion, bounds)
        if key not in self._shared:
            solution = model.solve(returns, aversion, limits)
            self._shared[key] = clean(solution.weights, limits, self._market.membership)
        return self._shared[key]

    def _last(self, last: LastTarget) -> Target:
        nanos = [round(weight * NANOS) for weight in last.fractions(self._market.symbols)]
        return Target(tuple(nanos[:-1]), nanos[-1])
