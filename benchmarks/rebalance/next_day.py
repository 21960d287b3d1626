"""The day after a run over made-up accounts: its trades are done, and a few accounts drifted."""

import datetime as dt
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from benchmarks.rebalance.population import copy_market
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

_LOT_SALES = pa.schema(
    [
        ("account_id", pa.string()),
        ("symbol", pa.string()),
        ("lot_id", pa.string()),
        ("sold_micros", pa.int64()),
        ("loss_cents", pa.int64()),
    ]
)
_PRICES = """
    CREATE TEMP TABLE prices AS
    SELECT symbol, price_micros, price_micros AS traded_at_micros
    FROM (
        SELECT symbol, any_value(price_micros) AS price_micros FROM marts.account_holding GROUP BY 1
    )
"""
_NEWER_PRICES = """
    UPDATE prices SET price_micros = instrument.price_micros
    FROM marts.instrument
    WHERE instrument.symbol = prices.symbol AND instrument.price_micros IS NOT NULL
"""
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
            coalesce(held.quantity_micros, 0) + coalesce(traded.quantity_micros, 0)
                AS quantity_micros
        FROM marts.account_holding AS held
        FULL JOIN traded USING (account_id, symbol)
    ),
    drifted AS (
        SELECT
            * EXCLUDE (quantity_micros),
            quantity_micros AS settled_micros,
            CASE
                WHEN symbol = '{CASH}' OR quantity_micros <= 0
                    OR hash(account_id, $seed) % {_PER_MILLE} >= $per_mille THEN quantity_micros
                WHEN hash(account_id, symbol, $seed) % 2 = 0 THEN quantity_micros * 2
                -- Half of it, in whole lots of whatever kind the account holds.
                ELSE quantity_micros - quantity_micros // 2000000 * 1000000
            END AS quantity_micros
        FROM summed
    )
    SELECT drifted.*, account.client_id, prices.price_micros, prices.traded_at_micros
    FROM drifted
    JOIN marts.account USING (account_id)
    LEFT JOIN prices USING (symbol)
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
_LOTS = """
    CREATE OR REPLACE TABLE marts.tax_lot AS
    WITH kept AS (
        SELECT lots.* REPLACE (
            lots.quantity_micros - coalesce(sold_micros, 0) AS quantity_micros,
            floor(
                lots.basis_cents * (1 - coalesce(sold_micros, 0) / lots.quantity_micros)
            )::BIGINT AS basis_cents
        )
        FROM marts.tax_lot AS lots
        LEFT JOIN lot_sales USING (lot_id)
    ),
    bought AS (
        SELECT
            client_id,
            account_id,
            symbol,
            'next-' || account_id || symbol AS lot_id,
            traded_micros AS quantity_micros,
            (traded_micros / 1e10 * traded_at_micros)::BIGINT AS basis_cents,
            $session::DATE AS acquired_date,
            $session::DATE AS held_since_date,
            false AS is_replacement
        FROM trades
        JOIN marts.account USING (account_id)
        JOIN prices USING (symbol)
        WHERE traded_micros > 0
    ),
    settled AS (
        SELECT * FROM kept WHERE quantity_micros > 0 UNION ALL BY NAME SELECT * FROM bought
    )
    SELECT settled.* REPLACE (
        floor(settled.quantity_micros * scale)::BIGINT AS quantity_micros,
        floor(settled.basis_cents * scale)::BIGINT AS basis_cents
    )
    FROM settled
    JOIN (
        SELECT account_id, symbol, quantity_micros / settled_micros AS scale
        FROM marts.held WHERE settled_micros > 0
    ) USING (account_id, symbol)
    WHERE floor(settled.quantity_micros * scale) > 0
    ORDER BY client_id, account_id, symbol, lot_id
"""
_LOSS_SALES = """
    INSERT INTO marts.loss_sale BY NAME
    SELECT
        client_id,
        account_id,
        symbol,
        sum(sold_micros)::BIGINT AS unmatched_micros,
        sum(loss_cents)::BIGINT AS loss_cents
    FROM lot_sales JOIN marts.account USING (account_id)
    WHERE loss_cents > 0
    GROUP BY client_id, account_id, symbol
    ORDER BY client_id, account_id, symbol
"""
_CASH = f"""
    UPDATE marts.account SET cash_micros = held.quantity_micros
    FROM marts.held WHERE held.account_id = account.account_id AND held.symbol = '{CASH}'
"""
_HORIZONS = "UPDATE marts.client_profile SET horizon_days = horizon_days - $days"
_MEMORY = "8GB"


def write_next_day(
    before: Path,
    after: Path,
    store: sa.Connection,
    run_id: str,
    session: dt.date,
    *,
    drifted_share: float = 0.05,
    seed: int = 1,
    market_build: Path | None = None,
    days: int = 1,
) -> None:
    """Write the warehouse file of the day after a run over a made-up population.

    Every trade of the run was filled at the price that it was sized at. Of a share of accounts,
    positions then doubled or halved; all others are where the run left them, at the day's prices.
    What was sold at a loss is remembered, so that nobody buys it back.
    Fills are left out of ``account_transaction``: with them every account would be in its cooldown.

    Parameters
    ----------
    before : a file of ``write_population``; somebody in it holds each symbol.
    store : where the run is published.
    session : of the run.
    market_build : a warehouse file of the day after, for its prices; if left out, prices stay.
    days : from the session to the day after.
    """
    shutil.copyfile(before, after)
    with open_writable(after) as warehouse:
        warehouse.execute(f"SET memory_limit = '{_MEMORY}'")
        warehouse.execute("SET search_path = 'marts'")
        _copy(warehouse, store, "trades", _TRADES, partial(_trades_of, run_id))
        _copy(warehouse, store, "lot_sales", _LOT_SALES, partial(_lot_sales_of, run_id))
        warehouse.execute(_PRICES)
        if market_build is not None:
            copy_market(warehouse, market_build)
            warehouse.execute(_NEWER_PRICES)
        warehouse.execute(_HELD, {"seed": seed, "per_mille": round(drifted_share * _PER_MILLE)})
        warehouse.execute(_LOTS, {"session": session})
        warehouse.execute(_HOLDINGS)
        warehouse.execute(_CASH)
        warehouse.execute(_LOSS_SALES)
        warehouse.execute(_HORIZONS, {"days": days})
        warehouse.execute("DROP TABLE marts.held")


def _copy(
    warehouse: duckdb.DuckDBPyConnection,
    store: sa.Connection,
    name: str,
    schema: pa.Schema,
    query_of: Callable[[sa.FromClause], sa.Select[Any]],
) -> None:
    """Copy what a query finds for listed accounts into a new table, a shard at a time."""
    warehouse.register("part", schema.empty_table())
    warehouse.execute(f"CREATE TEMP TABLE {name} AS FROM part")
    for plan in track(plan_shards(warehouse), f"read {name}"):
        ids = rows_of_clients(warehouse, plan, "SELECT account_id FROM account WHERE {clients}")
        query = query_of(wanted_accounts(store, text(ids["account_id"])))
        warehouse.register("part", found(fetch(store, query, schema), schema.names[2]))
        warehouse.execute(f"INSERT INTO {name} FROM part")
    warehouse.unregister("part")


def _trades_of(run_id: str, wanted: sa.FromClause) -> sa.Select[Any]:
    trade = tables["trade"]
    sign = sa.case((trade.c.side == Side.BUY, 1), else_=-1)
    return sa.select(
        trade.c.account_id,
        trade.c.symbol,
        sign * trade.c.quantity_micros,
        -sign * trade.c.notional_cents - trade.c.fee_cents,
    ).select_from(wanted.outerjoin(trade, _is_of(run_id, wanted)))


def _lot_sales_of(run_id: str, wanted: sa.FromClause) -> sa.Select[Any]:
    """Return what was sold of which lots; a loss that a purchase took away is none."""
    trade, lot = tables["trade"], tables["trade_lot"]
    loss = sa.func.coalesce(lot.c.basis_cents - lot.c.proceeds_cents, 0)
    return sa.select(
        trade.c.account_id,
        trade.c.symbol,
        lot.c.lot_id,
        lot.c.quantity_micros,
        sa.case((lot.c.disallowed_cents > 0, 0), else_=loss),
    ).select_from(
        wanted.outerjoin(trade, _is_of(run_id, wanted)).outerjoin(
            lot, lot.c.trade_id == trade.c.trade_id
        )
    )


def _is_of(run_id: str, wanted: sa.FromClause) -> sa.ColumnElement[bool]:
    trade = tables["trade"]
    return sa.and_(trade.c.run_id == run_id, trade.c.account_id == wanted.c.account_id)
