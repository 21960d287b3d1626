"""The path of targets that a trade's reasons are read from."""

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.accounts import Account
from pipelines.rebalance.allocation import AllocationModel, Limits
from pipelines.rebalance.aversion import risk_aversion
from pipelines.rebalance.history import LastTarget
from pipelines.rebalance.limits import unbounded_limits
from pipelines.rebalance.market import Market
from pipelines.rebalance.orders import Orders
from pipelines.rebalance.outlook import Outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.reasons import Path, Reason, explain
from pipelines.rebalance.trading import Book
from pipelines.rebalance.weights import NANOS, Target, clean

Vector = npt.NDArray[np.float64]


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

        Raises
        ------
        UnsolvedError
            A step of the path has no verified optimum.
        """
        outlook = self._outlook
        aversion = account_aversion(account, outlook, self._policy)

        def quantities(target: Target) -> list[int]:
            return target.quantities(account.wealth_cents, book.price_micros)

        def step(cause: str, model: AllocationModel, returns: Vector, bounds: Limits) -> list[int]:
            return quantities(self._target(cause, model, returns, aversion, bounds))

        path = Path(
            held=book.held,
            last=None if last is None else quantities(self._last(last)),
            profile=step("profile", outlook.long_run, outlook.long_run_prior, self._unbounded),
            constraints=step("constraints", outlook.long_run, outlook.long_run_prior, limits),
            risk_model=step("risk_model", outlook.today, outlook.todays_prior, limits),
            forecast=step("forecast", outlook.today, outlook.expected_returns, limits),
            settled=orders.settled,
        )
        symbols, instruments = self._market.symbols, self._market.instruments
        return tuple(
            explain(order, path, instruments[symbols[order.position]].name)
            for order in orders.orders
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


def account_aversion(account: Account, outlook: Outlook, policy: Policy) -> float:
    """Return the risk aversion that an account's risk score stands for."""
    if account.risk_score is None:
        raise ValueError(f"account {account.account_id} has no risk score; screen it first")
    return risk_aversion(account.risk_score, outlook.reference_volatility, policy)
