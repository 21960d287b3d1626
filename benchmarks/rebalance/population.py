"""A made-up clientele as the marts of a warehouse file, up to a million accounts in a minute.

Seeded and vectorised: the same seed, market and count give the same rows, chunk by chunk, in the
order of clients as dbt writes them. Of goals, 78 % have one account, 17 % two and 5 % three; one
client in five has two goals. Of accounts, half are taxable, 30 % tax-deferred and 20 % tax-free;
two in five hold whole shares only; 30 % keep a buffer of cash; 3 % had a deposit lately; worth is
60,000 dollars in the median, and spreads from 2,000 to 5,000,000. One client in five excludes
symbols, 8 % a class, 10 % cap every symbol; every second goal is saved for monthly. What is held
has one lot or two, a twentieth of them of unknown cost.

Holdings follow the reference portfolio at the exposure that a score asks for; three goals in ten
hold something else, as those who bring a portfolio along do. That, and what the forecasts ask for,
lets about 70 % of accounts trade on the first day. A few accounts have each of the faults that
screening names, about one in 200.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.rebalance.made_up_accounts import Chunk, MadeUp
from benchmarks.rebalance.made_up_tables import tables_of
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.market.market import Market
from pipelines.warehouse.duckdb import open_writable

ACCOUNTS_PER_CHUNK = 50_000
_ORDER = {
    "account": "client_id, account_id",
    "account_holding": "client_id, account_id, symbol",
    "account_transaction": "client_id, account_id, transaction_id",
    "client_profile": "client_id, goal_id",
    "loss_sale": "client_id, account_id, symbol",
    "planned_cash_flow": "client_id, goal_id, cash_flow_id",
    "tax_lot": "client_id, account_id, symbol, lot_id",
}
"""As dbt writes each mart."""
_GOALS_OF_A_CLIENT = (0.8, 0.2)
_ACCOUNTS_OF_A_GOAL = (0.78, 0.17, 0.05)


@dataclass(frozen=True)
class Sizes:
    """How accounts belong to goals and goals to clients: the numbers of each one's owner."""

    goal_of_account: Integers
    client_of_goal: Integers


def write_population(
    path: Path,
    market: Market,
    session: dt.date,
    count: int,
    *,
    seed: int = 1,
    share_to_trade: float = 0.3,
    market_build: Path | None = None,
) -> None:
    """Write a warehouse file with the marts of so many accounts.

    Parameters
    ----------
    path : a file that does not exist yet.
    market : whose symbols and prices are held.
    share_to_trade : of goals, how many hold something else than what their score asks for.
    market_build : a warehouse file whose marts ``instrument`` and ``price`` are copied as well, so
        that a whole rebalance can read the file.
    """
    made_up = MadeUp(market, session, share_to_trade)
    with open_writable(path) as warehouse:
        warehouse.execute("CREATE SCHEMA marts")
        for chunk in _chunks(count, seed):
            for name, rows in tables_of(made_up, chunk).items():
                warehouse.register("rows", rows)
                if chunk.first_account == 0:
                    warehouse.execute(f"CREATE TABLE marts.{name} AS FROM rows LIMIT 0")
                warehouse.execute(f"INSERT INTO marts.{name} FROM rows ORDER BY {_ORDER[name]}")
                warehouse.unregister("rows")
        if market_build is not None:
            copy_market(warehouse, market_build)


def copy_market(warehouse: duckdb.DuckDBPyConnection, market_build: Path) -> None:
    """Copy the marts of a build that a market is read from, in place of those that are there."""
    warehouse.execute(f"ATTACH '{market_build}' AS market (READ_ONLY)")
    warehouse.execute("CREATE OR REPLACE TABLE marts.instrument AS FROM market.marts.instrument")
    warehouse.execute(
        "CREATE OR REPLACE TABLE marts.price AS SELECT symbol, session_date, simple_return_1d "
        "FROM market.marts.price ORDER BY session_date, symbol"
    )
    warehouse.execute("DETACH market")


def _sizes(count: int, seed: int) -> Sizes:
    rng = np.random.default_rng([seed, 0])
    accounts = 1 + rng.choice(3, size=count, p=_ACCOUNTS_OF_A_GOAL)
    goals = int(np.searchsorted(np.cumsum(accounts), count)) + 1
    owned = 1 + rng.choice(2, size=goals, p=_GOALS_OF_A_CLIENT)
    return Sizes(
        goal_of_account=np.repeat(np.arange(goals), accounts[:goals])[:count],
        client_of_goal=np.repeat(np.arange(goals), owned)[:goals],
    )


def _chunks(count: int, seed: int) -> Iterator[Chunk]:
    """Yield parts of whole clients."""
    sizes = _sizes(count, seed)
    client_of_account = sizes.client_of_goal[sizes.goal_of_account]
    clients = int(client_of_account[-1]) + 1
    first = 0
    while first < count:
        last_client = client_of_account[min(first + ACCOUNTS_PER_CHUNK, count) - 1]
        end = int(np.searchsorted(client_of_account, last_client, side="right"))
        goals = slice(int(sizes.goal_of_account[first]), int(sizes.goal_of_account[end - 1]) + 1)
        yield Chunk(
            seed=seed,
            clients=clients,
            first_account=first,
            first_goal=goals.start,
            goal_of_account=sizes.goal_of_account[first:end] - goals.start,
            client_of_goal=sizes.client_of_goal[goals],
        )
        first = end
