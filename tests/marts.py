"""Warehouse files of a few rows, with the columns and types that dbt's YAML promises."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.warehouse.duckdb import open_writable

_MODELS = Path(__file__).parents[1] / "dbt" / "models" / "marts"
READ_BY_REBALANCE = (
    "account",
    "account_holding",
    "account_transaction",
    "client_profile",
    "loss_sale",
    "planned_cash_flow",
    "tax_lot",
)

Rows = Sequence[Mapping[str, Any]]


@cache
def columns_of(mart: str) -> dict[str, str]:
    """Names and DuckDB types of a mart's columns."""
    [model] = yaml.safe_load((_MODELS / f"{mart}.yml").read_text("utf-8"))["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


def write_marts(path: Path, **rows: Rows) -> Path:
    """Write a file with all marts that accounts are read from; what a row leaves out is null."""
    with open_writable(path) as warehouse:
        warehouse.begin()
        warehouse.execute("CREATE SCHEMA marts")
        for mart in READ_BY_REBALANCE:
            columns = columns_of(mart)
            kinds = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            warehouse.execute(f"CREATE TABLE marts.{mart} ({kinds})")
            for row in rows.get(mart, ()):
                assert set(row) <= set(columns), (mart, set(row) - set(columns))
                warehouse.execute(
                    f"INSERT INTO marts.{mart} VALUES ({', '.join('?' for _ in columns)})",
                    [row.get(name) for name in columns],
                )
        warehouse.commit()
    return path


def account(account_id: str, client_id: str, **changes: Any) -> dict[str, Any]:
    """A row of ``account``: taxable, of fractions, with 100 dollars, serving ``<client>-goal``."""
    return {
        "account_id": account_id,
        "client_id": client_id,
        "goal_id": f"{client_id}-goal",
        "tax_kind": "taxable",
        "share_kind": "fractional",
        "cash_buffer_cents": 0,
        "cash_micros": 100_000_000,
    } | changes


def profile(client_id: str, **changes: Any) -> dict[str, Any]:
    """A row of ``client_profile`` for ``<client>-goal``, without wishes."""
    return {
        "client_id": client_id,
        "goal_id": f"{client_id}-goal",
        "goal_version": 1,
        "goal_kind": "wealth",
        "target_cents": 1_000_000,
        "target_date": "2040-01-01",
        "horizon_days": 6_213,
        "risk_score": 60,
        "capacity_score": 70,
        "max_loss": 0.3,
        "max_risky_weight": 0.6,
        "min_cash_cents": 0,
        "excluded_symbols": [],
        "excluded_classes": [],
    } | changes


def holding(
    account_id: str, client_id: str, symbol: str, shares: float, price: float | None
) -> Any:
    """A row of ``account_holding``; ``price`` in dollars, None where there is none."""
    quantity = round(shares * 1_000_000)
    return {
        "account_id": account_id,
        "client_id": client_id,
        "symbol": symbol,
        "quantity_micros": quantity,
        "price_micros": None if price is None else round(price * 1_000_000),
        "value_cents": None if price is None else round(shares * price * 100),
    }
