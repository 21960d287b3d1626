"""Which trade and which account a fill is of, or what is wrong with it."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from models.vocabulary import TransactionKind
from pipelines.clients.issues import RowIssue
from pipelines.fills.file import issue
from pipelines.fills.fill import Fill
from pipelines.fills.orders import OPEN, Order

Row = dict[str, Any]


class Orders:
    """Trades by their key, and by what else a fill may name them by."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._by_id = {order.trade_id: order for order in orders}

    def __getitem__(self, trade_id: str) -> Order:
        return self._by_id[trade_id]

    def named(self, fill: Fill) -> Order | None:
        """Return the trade that a fill names by its key."""
        return None if fill.trade_id is None else self._by_id.get(fill.trade_id)

    def meant(self, fill: Fill) -> Order | None:
        """Return the newest trade that a fill without its key can be of."""
        found = [
            order
            for order in self._by_id.values()
            if (order.account_id, order.symbol, order.side)
            == (fill.account_id, fill.symbol, fill.side)
            and order.status in OPEN
            and order.left_micros > 0
            and order.advised_from <= fill.executed_at
            and fill.trade_date <= order.valid_until
        ]
        return max(found, key=lambda order: (order.session_date, order.trade_id), default=None)


def resolve(
    fill: Fill, orders: Orders, accounts: Mapping[str, Row], symbols: Collection[str]
) -> Fill | RowIssue:
    """Return a fill with its trade, account and symbol, or why that cannot be said.

    A fill that names account and symbol and is of no open trade was not advised: it is booked all
    the same, without a trade.
    """
    if fill.trade_id is None:
        order = orders.meant(fill)
        if order is None:
            return _unadvised(fill, accounts, symbols)
    else:
        order = orders.named(fill)
        if order is None:
            return issue(
                fill.line,
                "trade_id",
                "no trade has this key",
                "Check the key, or leave it empty and fill in account_id and symbol.",
                fill.trade_id,
            )
        contradiction = _contradiction(fill, order)
        if contradiction is not None:
            return contradiction
    if order.account_id not in accounts:
        return _unknown_account(fill, order.account_id)
    return dataclasses.replace(
        fill, trade_id=order.trade_id, account_id=order.account_id, symbol=order.symbol
    )


def _contradiction(fill: Fill, order: Order) -> RowIssue | None:
    for field, said, meant in (
        ("account_id", fill.account_id, order.account_id),
        ("symbol", fill.symbol, order.symbol),
        ("side", fill.side.value, order.side.value),
    ):
        if said is not None and said != meant:
            return issue(
                fill.line,
                field,
                f"the trade that it names has another {field}",
                "Check both; the fill is booked once they agree.",
                said,
            )
    if fill.executed_at < order.advised_from:
        return issue(
            fill.line,
            "executed_at",
            "it was executed before its trade was advised",
            "Check the date, and the key of the trade.",
            f"{fill.executed_at:%Y-%m-%d %H:%M%z}",
        )
    return None


def _unadvised(
    fill: Fill, accounts: Mapping[str, Row], symbols: Collection[str]
) -> Fill | RowIssue:
    if fill.account_id not in accounts:
        return _unknown_account(fill, fill.account_id)
    if fill.symbol is None or fill.symbol not in symbols:
        return issue(fill.line, "symbol", "no instrument has this symbol", "Check it.", fill.symbol)
    return fill


def _unknown_account(fill: Fill, account_id: str | None) -> RowIssue:
    return issue(
        fill.line,
        "account_id",
        "no account has this key",
        "Check the key; accounts are known by our own keys, not by those of the bank.",
        account_id,
    )


def repeats(fill: Fill, known: Row) -> bool:
    """Say whether a transaction is what a fill reports; what the trade says need not be said."""
    told = {
        "account_id": fill.account_id,
        "symbol": fill.symbol,
        "trade_id": fill.trade_id,
        "settlement_date": fill.settlement_date,
    }
    return (
        known["kind"] == TransactionKind(fill.side.value)
        and known["quantity_micros"] == fill.signed_micros
        and known["price_micros"] == fill.price_micros
        and known["fee_cents"] == fill.fee_cents
        and known["executed_at"] == fill.executed_at
        and all(value is None or known[name] == value for name, value in told.items())
    )


def other_content(fill: Fill) -> RowIssue:
    """Return the issue of a key that another fill has, booked before or of the same file."""
    return issue(
        fill.line,
        "external_id",
        "a fill of another content has this key",
        "Give each fill a key of its own; reverse the earlier one first if it was wrong.",
    )


def notices(fill: Fill, order: Order) -> list[RowIssue]:
    """Return what is odd about a fill that is booked all the same: it was executed."""
    found = []
    if fill.trade_date > order.valid_until or order.status not in OPEN:
        is_over = fill.trade_date > order.valid_until
        found.append(
            issue(
                fill.line,
                "executed_at" if is_over else "trade_id",
                "it was booked, but its trade "
                + ("was valid no more" if is_over else f"has ended: {order.status}"),
                "Ask the broker why the order was still open; the next run advises on what is held "
                "now.",
                f"{fill.executed_at:%Y-%m-%d %H:%M%z}" if is_over else order.trade_id,
            )
        )
    if fill.quantity_micros > order.left_micros:
        found.append(
            issue(
                fill.line,
                "quantity",
                "it was booked, but is more than what was left of its trade",
                "Ask the broker whether it was executed twice; the next run advises on what is "
                "held now.",
                fill.shares,
            )
        )
    return found
