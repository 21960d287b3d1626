"""What all shards of a run share: read, estimated once, and kept for whoever else advises."""

from typing import TYPE_CHECKING

from pipelines.lineage import RunIdentity
from pipelines.progress import step
from pipelines.rebalance.policy import POLICY
from pipelines.sessions import session_after
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
    from pipelines.rebalance.market.market import Market
    from pipelines.rebalance.market.outlook import Outlook
    from pipelines.rebalance.shard_work import Work
    from pipelines.warehouse import WarehouseBuild


def shared_work(
    settings: Settings,
    identity: RunIdentity,
    build: "WarehouseBuild",
    runs: "EarlierRuns | None" = None,
) -> "Work":
    """Return what all shards of a run share, the same bits in whichever process.

    As :func:`prepare`, but what is estimated is kept for the run by who does so first.
    """
    market = market_of(build)
    return _work(settings, identity, build, market, kept_outlook(settings, identity, market), runs)


def kept_outlook(settings: Settings, identity: RunIdentity, market: "Market") -> "Outlook":
    """Return the outlook that is kept for a run; estimate and keep it where there is none.

    Raises
    ------
    RebalanceError
        There are no forecasts, or history is too short.
    """
    from pipelines.rebalance.market.kept_outlook import find_outlook, keep_outlook
    from pipelines.store import connect, transaction

    with connect(settings) as store:
        found = find_outlook(store, identity.run_id)
    if found is not None:
        return found
    made = _estimate(settings, identity, market)
    with transaction(settings) as store:
        return keep_outlook(store, identity.run_id, made)


def prepare(
    settings: Settings,
    identity: RunIdentity,
    build: "WarehouseBuild",
    runs: "EarlierRuns | None" = None,
) -> "Work":
    """Read and estimate what all shards of a run share.

    Parameters
    ----------
    runs : earlier runs to go on from; those that are published now, if left out.

    Raises
    ------
    RebalanceError
        There are no forecasts, or there is no market to advise on.
    """
    market = market_of(build)
    return _work(settings, identity, build, market, _estimate(settings, identity, market), runs)


def _estimate(settings: Settings, identity: RunIdentity, market: "Market") -> "Outlook":
    from threadpoolctl import threadpool_limits

    from pipelines.rebalance.market.forecasts import read_forecasts
    from pipelines.rebalance.market.outlook import make_outlook
    from pipelines.store import connect

    with connect(settings) as store:
        forecasts = read_forecasts(store, identity.run_id)
    # One thread, so that the number of cores changes no bit.
    with threadpool_limits(limits=1), step("estimate risk and returns"):
        return make_outlook(market, forecasts, POLICY)


def market_of(build: "WarehouseBuild") -> "Market":
    """Read the market of a build.

    Raises
    ------
    RebalanceError
        Nothing may be bought.
    """
    from pipelines.rebalance.market.market import read_market
    from pipelines.warehouse import connect as connect_warehouse

    with connect_warehouse(build.warehouse_path) as warehouse:
        return read_market(warehouse, POLICY)


def _work(
    settings: Settings,
    identity: RunIdentity,
    build: "WarehouseBuild",
    market: "Market",
    outlook: "Outlook",
    runs: "EarlierRuns | None",
) -> "Work":
    from pipelines.rebalance.inputs.earlier_runs import read_earlier_runs
    from pipelines.rebalance.shard_work import Work
    from pipelines.store import connect

    if runs is None:
        with connect(settings) as store:
            runs = read_earlier_runs(store, identity.source, identity.session_date)
    return Work(
        settings=settings,
        identity=identity,
        warehouse_path=build.warehouse_path,
        runs=runs,
        market=market,
        outlook=outlook,
        policy=POLICY,
        valid_until=session_after(identity.session_date, POLICY.trade_valid_sessions),
    )
