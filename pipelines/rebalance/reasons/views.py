"""What targets would be under other forecasts: the network's, the moving averages', none."""

import numpy as np

from models.vocabulary import AllocationView
from pipelines.rebalance.advice import Views
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.goal_problems import Start, target_problems
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.reasons.steps import optima
from pipelines.rebalance.trades.location import locate
from pipelines.rebalance.trades.weights import NO_TARGET


def view_targets(
    shard: Shard,
    market: Market,
    outlook: Outlook,
    policy: Policy,
    bounds: Bounds,
    start: Start,
    goal_nanos: Integers,
    account_nanos: Integers,
) -> Views:
    """Return the targets under each ``AllocationView``, all else equal, of goals with a new target.

    Views that expect the same returns to the last bit have the same targets and are solved once;
    so does the view that serves, whose targets are known.

    Parameters
    ----------
    goal_nanos : (goals, symbols + 1) new targets, ``NO_TARGET`` elsewhere.
    account_nanos : (accounts, symbols + 1) the same, located.
    """
    rows = np.flatnonzero(goal_nanos[:, 0] != NO_TARGET)
    known = {outlook.expected_returns.tobytes(): (goal_nanos, account_nanos)}
    found = []
    for number, _ in enumerate(AllocationView):
        expected = outlook.view_returns[number]
        key = expected.tobytes()
        if key not in known:
            nanos = np.full_like(goal_nanos, NO_TARGET)
            problems = target_problems(bounds, rows, expected, start)
            nanos[rows] = optima(outlook.today, problems, policy)
            known[key] = (nanos, locate(shard, nanos, market))
        found.append(known[key])
    return Views(
        nanos=np.stack([goals for goals, _ in found]),
        account_nanos=np.stack([accounts for _, accounts in found]),
    )
