"""The day after a run over made-up accounts: its trades are done, and a few accounts drifted."""

import datetime as dt
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from models.vocabulary import CASH, Side
from pipelines.progress import track
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import text
from pipelines.rebalance.inputs.shard_plan import plan_shards
from pipelines.rebalance.inputs.store_rows import fetch, found, wanted_accounts
from pipelines.store import tables
from pipelines.warehouse.duckdb import open_writable

_TRADES = pa.schema(
    [
        ("account_id", pa.string()),
        ("symbol", pa.string()),
        ("traded_micros", pa.int64()),
        ("cash_cents", pa.int64()),
    ]
)
_PER_MILLE = 1000

_HELD = f"""
    CREATE TABLE marts.held AS
    WITH traded AS (
        SELECT account_id, symbol, traded_micros AS quantity_micros FROM trades
        UNION ALL
        SELECT account_id, '{CASH}', sum(cash_cents)::BIGINT * 10000 FROM trades GROUP BY account_id
    ),
    summed AS (
        SELECT
            account_id,
            symbol,
            coalesce(held.quantity_micros, 0) AS before_micros,
            coalesce(held.quantity_micros, 0) + coalesce(traded.quantity_micros, 0)
                AS quantity_micros
        FROM marts.account_holding AS held
        FULL JOIN traded USING (account_id, symbol)
    ),
    drifted AS (
        SELECT
            * EXCLUDE (quantity_micros),
            CASE
                WHEN symbol = '{CASH}' OR quantity_micros <= 0
                    OR hash(account_id, $seed) % {_PER_MILLE} >= $per_mille THEN quantity_micros
                WHEN hash(account_id, symbol, $seed) % 2 = 0 THEN quantity_micros * 2
                -- Half of it, in whole lots of whatever kind the account holds.
                ELSE quantity_micros - quantity_micros // 2000000 * 1000000
            END AS quantity_micros
        FROM summed
    )
    SELECT drifted.*, account.client_id, prices.price_micros
    FROM drifted
    JOIN marts.account USING (account_id)
    LEFT JOIN (
        SELECT symbol, any_value(price_micros) AS price_micros FROM marts.account_holding GROUP BY 1
    ) AS prices USING (symbol)
    WHERE quantity_micros <> 0 OR symbol = '{CASH}'
"""
_HOLDINGS = """
    CREATE OR REPLACE TABLE marts.account_holding AS
    SELECT
        account_id,
        client_id,
        symbol,
        quantity_micros,
        price_micros,
        -- Half even, as the mart has it: a double holds none of these exactly.
        (sign(quantity_micros) * (
            abs(quantity_micros)::HUGEINT * price_micros // 10000000000
            + CASE
                WHEN 2 * (abs(quantity_micros)::HUGEINT * price_micros % 10000000000) > 10000000000
                    THEN 1
                WHEN 2 * (abs(quantity_micros)::HUGEINT * price_micros % 10000000000) = 10000000000
                    THEN abs(quantity_micros)::HUGEINT * price_micros // 10000000000 % 2
                ELSE 0
            END
        ))::BIGINT AS value_cents
    FROM marts.held
    ORDER BY client_id, account_id, symbol
"""
_LOTS = f"""
    CREATE OR REPLACE TABLE marts.tax_lot AS
    WITH shares AS (
        SELECT account_id, symbol, quantity_micros / before_micros AS share
        FROM marts.held
        WHERE before_micros > 0 AND quantity_micros < before_micros
    ),
    kept AS (
        SELECT lots.* REPLACE (
            floor(lots.quantity_micros * coalesce(share, 1))::BIGINT AS quantity_micros,
            floor(lots.basis_cents * coalesce(share, 1))::BIGINT AS basis_cents
        )
        FROM marts.tax_lot AS lots
        SEMI JOIN marts.held USING (account_id, symbol)
        LEFT JOIN shares USING (account_id, symbol)
    ),
    bought AS (
        SELECT
            client_id,
            account_id,
            symbol,
            'next-' || account_id || symbol AS lot_id,
            quantity_micros - before_micros AS quantity_micros,
            ((quantity_micros - before_micros) / 1e10 * price_micros)::BIGINT AS basis_cents,
            $session::DATE - 400 AS acquired_date,
            $session::DATE - 400 AS held_since_date,
            false AS is_replacement
        FROM marts.held
        WHERE symbol <> '{CASH}' AND before_micros >= 0 AND quantity_micros > before_micros
    )
    SELECT * FROM kept WHERE quantity_micros > 0
    UNION ALL BY NAME SELECT * FROM bought
    ORDER BY client_id, account_id, symbol, lot_id
"""
_CASH = f"""
    UPDATE marts.account SET cash_micros = held.quantity_micros
    FROM marts.held WHERE held.account_id = account.account_id AND held.symbol = '{CASH}'
"""


def write_next_day(
    before: Path,
    after: Path,
    store: sa.Connection,
    run_id: str,
    session: dt.date,
    *,
    drifted_share: float = 0.05,
    seed: int = 1,
) -> None:
    """Write the warehouse file of the day after a run over a made-up population.

    Every trade of the run was filled at the price that it was sized at. Of a share of accounts,
    positions then doubled or halved; prices stay, so that all others are where the run left them.
    Fills are left out of ``account_transaction``: with them every account would be in its cooldown.

    Parameters
    ----------
    before : a file of ``write_population``; somebody in it holds each symbol.
    store : where the run is published.
    session : of the run.
    """
    shutil.copyfile(before, after)
    with open_writable(after) as warehouse:
        warehouse.execute("SET search_path = 'marts'")
        warehouse.execute(
            "CREATE TEMP TABLE trades "
            "(account_id VARCHAR, symbol VARCHAR, traded_micros BIGINT, cash_cents BIGINT)"
        )
        _copy_trades(warehouse, store, run_id)
        warehouse.execute(_HELD, {"seed": seed, "per_mille": round(drifted_share * _PER_MILLE)})
        warehouse.execute(_LOTS, {"session": session})
        warehouse.execute(_HOLDINGS)
        warehouse.execute(_CASH)
        warehouse.execute("DROP TABLE marts.held")


def _copy_trades(warehouse: duckdb.DuckDBPyConnection, store: sa.Connection, run_id: str) -> None:
    """Copy a run's trades, a shard of accounts at a time."""
    trade = tables["trade"]
    sign = sa.case((trade.c.side == Side.BUY, 1), else_=-1)
    for plan in track(plan_shards(warehouse), "read trades"):
        names = rows_of_clients(warehouse, plan, "SELECT account_id FROM account WHERE {clients}")
        wanted = wanted_accounts(store, text(names["account_id"]))
        query = (
            sa.select(
                trade.c.account_id,
                trade.c.symbol,
                sign * trade.c.quantity_micros,
                -sign * trade.c.notional_cents - trade.c.fee_cents,
            )
            .select_from(wanted)
            .outerjoin(
                trade,
                sa.and_(trade.c.run_id == run_id, trade.c.account_id == wanted.c.account_id),
            )
        )
        warehouse.register("part", found(fetch(store, query, _TRADES), "symbol"))
        warehouse.execute("INSERT INTO trades FROM part")
        warehouse.unregister("part")
