"""What an account holds and has ordered, and what is recorded against its client's inputs."""

from collections.abc import Iterator

import sqlalchemy as sa

from models.vocabulary import CASH, Side
from pipelines.explain.amounts import dollars, price, shares, symbol_name
from pipelines.explain.document import Grid, Section
from pipelines.explain.facts import Issue, OpenOrder, Run, Standing
from pipelines.store import tables

_MICROS_PER_CENT = 10_000


def read_standing(store: sa.Connection, account_id: str, client_id: str, run: Run) -> Standing:
    """Return what an account held when the run began, and what is recorded of its client now."""
    holding, issue = tables["holding"], tables["client_issue"]
    known = sa.and_(holding.c.account_id == account_id, holding.c.recorded_at <= run.started_at)
    newest = sa.select(sa.func.max(holding.c.version)).where(known).scalar_subquery()
    held = store.execute(
        sa.select(holding.c.symbol, holding.c.quantity_micros).where(
            known, holding.c.version == newest
        )
    )
    issues = store.execute(
        sa.select(issue.c.field, issue.c.cause, issue.c.remedy, issue.c.since)
        .where(issue.c.client_id == client_id)
        .order_by(issue.c.field, issue.c.issue_id)
    )
    return Standing(
        held_micros=tuple(sorted((row.symbol, row.quantity_micros) for row in held)),
        orders=_read_orders(store, account_id, run),
        issues=tuple(
            Issue(row.field, row.cause, row.remedy, f"{row.since:%Y-%m-%d}") for row in issues
        ),
    )


def _read_orders(store: sa.Connection, account_id: str, run: Run) -> tuple[OpenOrder, ...]:
    order, trade = tables["open_order"], tables["trade"]
    rows = store.execute(
        sa.select(
            trade.c.trade_id,
            trade.c.side,
            trade.c.symbol,
            order.c.left_micros,
            trade.c.price_micros,
        )
        .join(trade, trade.c.trade_id == order.c.trade_id)
        .where(order.c.run_id == run.run_id, order.c.account_id == account_id)
        .order_by(trade.c.sequence, trade.c.trade_id)
    )
    return tuple(
        OpenOrder(row.trade_id, Side(row.side), row.symbol, abs(row.left_micros), row.price_micros)
        for row in rows
    )


def standing_sections(standing: Standing, has_target: bool) -> Iterator[Section]:
    """Yield what is held where no target tells of it, then orders and issues if there are any."""
    if not has_target:
        rows = tuple(
            (
                symbol_name(symbol),
                dollars(micros // _MICROS_PER_CENT) if symbol == CASH else shares(micros),
            )
            for symbol, micros in standing.held_micros
        )
        words = () if rows else ("Nothing.",)
        yield Section("What it holds", paragraphs=words, grids=(_held(rows),))
    if standing.orders:
        yield Section(
            "Orders with the broker when the run began",
            paragraphs=("They count as done: worth and cash above are those after them.",),
            grids=(_ordered(standing.orders),),
        )
    if standing.issues:
        yield Section(
            "What is recorded against the client's inputs today",
            grids=(
                Grid(
                    ("since", "field", "what is wrong", "remedy"),
                    tuple(
                        (each.since, each.field, each.cause, each.remedy)
                        for each in standing.issues
                    ),
                ),
            ),
        )


def _ordered(orders: tuple[OpenOrder, ...]) -> Grid:
    return Grid(
        ("order", "trade", "symbol", "shares left", "price"),
        tuple(
            (
                each.side.value,
                each.trade_id,
                each.symbol,
                shares(each.left_micros),
                price(each.price_micros),
            )
            for each in orders
        ),
        numeric=2,
    )


def _held(rows: tuple[tuple[str, str], ...]) -> Grid:
    return Grid(("symbol", "shares, or US dollars of cash"), rows, numeric=1)
