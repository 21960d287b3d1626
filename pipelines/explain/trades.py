"""Trades of accounts, with their causes and the lots that they close."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from models.store_trades import CAUSES
from models.vocabulary import Side
from pipelines.explain.facts import LotSale, TradeFact
from pipelines.store import tables


def read_trades(
    store: sa.Connection, run_id: str, account_ids: Sequence[str], trade_id: str | None
) -> dict[str, tuple[TradeFact, ...]]:
    """Return the trades of each account in the order in which they are to be made."""
    trade, reason = tables["trade"], tables["trade_reason"]
    causes = [reason.c[f"{cause}_micros"] for cause in CAUSES]
    query = (
        sa.select(trade, *causes, reason.c.sentence)
        .join(reason, reason.c.trade_id == trade.c.trade_id)
        .where(trade.c.run_id == run_id, trade.c.account_id.in_(account_ids))
        .order_by(trade.c.account_id, trade.c.sequence)
    )
    if trade_id is not None:
        query = query.where(trade.c.trade_id == trade_id)
    rows = store.execute(query).all()
    lots = _read_lots(store, account_ids, [row.trade_id for row in rows])
    found: dict[str, list[TradeFact]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(_as_trade(row, tuple(lots[row.trade_id])))
    return {account: tuple(trades) for account, trades in found.items()}


def _as_trade(row: sa.Row, lots: tuple[LotSale, ...]) -> TradeFact:
    return TradeFact(
        trade_id=row.trade_id,
        account_id=row.account_id,
        symbol=row.symbol,
        side=Side(row.side),
        quantity_micros=row.quantity_micros,
        price_micros=row.price_micros,
        notional_cents=row.notional_cents,
        fee_cents=row.fee_cents,
        sequence=row.sequence,
        status=row.status,
        valid_until=row.valid_until,
        causes_micros={cause: row._mapping[f"{cause}_micros"] for cause in CAUSES},
        sentence=row.sentence,
        lots=lots,
    )


def _read_lots(
    store: sa.Connection, account_ids: Sequence[str], trade_ids: Sequence[str]
) -> dict[str, list[LotSale]]:
    sale, lot, trade = tables["trade_lot"], tables["tax_lot"], tables["trade"]
    # A lot's purchase is the same in all its versions; a lot is known by account and key.
    bought = (
        sa.select(lot.c.account_id, lot.c.lot_id, sa.func.min(lot.c.acquired_date).label("day"))
        .where(lot.c.account_id.in_(account_ids))
        .group_by(lot.c.account_id, lot.c.lot_id)
        .subquery()
    )
    query = (
        sa.select(sale, bought.c.day)
        .join(trade, trade.c.trade_id == sale.c.trade_id)
        .outerjoin(
            bought,
            sa.and_(bought.c.lot_id == sale.c.lot_id, bought.c.account_id == trade.c.account_id),
        )
        .where(sale.c.trade_id.in_(trade_ids))
    )
    found: dict[str, list[LotSale]] = defaultdict(list)
    for row in store.execute(query):
        found[row.trade_id].append(
            LotSale(
                lot_id=row.lot_id,
                acquired_date=row.day,
                quantity_micros=row.quantity_micros,
                proceeds_cents=row.proceeds_cents,
                basis_cents=row.basis_cents,
                is_long_term=row.is_long_term,
                disallowed_cents=row.disallowed_cents,
            )
        )
    for sales in found.values():
        sales.sort(key=lambda each: (each.acquired_date or dt.date.max, each.lot_id))
    return found
