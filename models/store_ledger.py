"""Input tables of the SQL store: what moves in accounts, what shares cost, what clients answered.

Lots and planned cash flows are versioned like all inputs. Transactions, what they closed of lots,
and feedback are facts: a row is never changed, and a wrong transaction is reversed by another.
"""

from dataclasses import replace

from models.declaration import Table, boolean, date, integer, text, timestamp
from models.recording import recorded, version_of
from models.vocabulary import (
    CashFlowKind,
    CashFlowStatus,
    FeedbackReason,
    Frequency,
    TransactionKind,
    Verdict,
)

CASH_FLOW = Table(
    name="cash_flow",
    grain="one row per cash flow and version: external cash that comes or goes, once or regularly",
    key=("cash_flow_id", "version"),
    columns=(
        text("cash_flow_id", "surrogate key"),
        version_of("cash flow"),
        text("account_id", "the account"),
        text("kind", "into the account or out of it", allowed=CashFlowKind),
        integer("amount_cents", "amount of each payment", "US cents", at_least=1),
        text("frequency", "how often it is paid", allowed=Frequency),
        date("first_date", "calendar date of the first payment"),
        date(
            "last_date",
            "last calendar date on which one may fall; null: no end is known",
            nullable=True,
        ),
        text("status", "where it stands; what was paid is a transaction", allowed=CashFlowStatus),
        *recorded(),
    ),
    indexes=(("account_id",),),
)

TRANSACTION = Table(
    name="transaction",
    grain="one row per event in an account as the broker or custodian reports it; never changed",
    key=("transaction_id",),
    columns=(
        text("transaction_id", "surrogate key"),
        text(
            "external_id",
            "the reporter's key; a report that comes twice is one transaction",
            personal=True,  # an account's number may stand in it
        ),
        text("account_id", "the account"),
        text("kind", "what happened", allowed=TransactionKind),
        text(
            "trade_id",
            "advised trade that it fills, wholly or in part; null: we did not advise it",
            nullable=True,
        ),
        text(
            "cash_flow_id", "planned cash flow that it is a payment of; null: none", nullable=True
        ),
        text("symbol", "instrument that it concerns; $CASH where it concerns none"),
        integer(
            "quantity_micros",
            "change of the instrument's holding in millionths of a share; 0 where only cash moves",
            "signed micros",
        ),
        integer(
            "price_micros",
            "price of execution; null where there is none",
            "micros of USD per share",
            nullable=True,
            at_least=1,
        ),
        integer("fee_cents", "fees charged, part of cash_cents", "US cents", at_least=0),
        integer("cash_cents", "change of the account's cash, after fees", "signed US cents"),
        timestamp("executed_at", "when it happened"),
        date("trade_date", "the exchange's date of it, from which tax counts"),
        date("settlement_date", "when cash and shares change hands; null: unknown", nullable=True),
        text("reverses", "wrong transaction that this one takes back; null: none", nullable=True),
        *recorded(),
    ),
    references={
        "trade_id": "trade.trade_id",
        "reverses": "transaction.transaction_id",
    },
    indexes=(("account_id", "trade_date"), ("trade_id",)),
    unique=(("external_id",),),
)

TAX_LOT = Table(
    name="tax_lot",
    grain="one row per account, version and lot: shares bought together and still held",
    key=("account_id", "version", "lot_id"),
    columns=(
        text("account_id", "the account"),
        version_of("account's lots"),
        text("lot_id", "key of the lot, the same in all versions"),
        text("symbol", "instrument held"),
        integer("quantity_micros", "what is left, millionths of a share", "micros", at_least=1),
        date("acquired_date", "trade date of the purchase; null: unknown", nullable=True),
        date(
            "holding_period_start_date",
            "date from which the holding period counts, before the purchase where a wash sale "
            "carried an older one over; null: unknown",
            nullable=True,
        ),
        integer(
            "basis_cents",
            "cost of what is left, with fees and carried-over losses; null: unknown, never zero",
            "US cents",
            nullable=True,
            at_least=0,
        ),
        integer(
            "carried_over_loss_cents",
            "part of the basis that is loss disallowed by a wash sale",
            "US cents",
            at_least=0,
        ),
        text("transaction_id", "purchase that opened the lot; null: unknown", nullable=True),
        *recorded(),
    ),
    references={"transaction_id": "transaction.transaction_id"},
)

FEEDBACK = Table(
    name="feedback",
    grain="one row per answer of a client to advice; never changed, and never free text",
    key=("feedback_id",),
    columns=(
        text("feedback_id", "surrogate key"),
        text("client_id", "who answers"),
        text("run_id", "run whose advice is answered"),
        text("account_id", "account whose advice is answered"),
        text("trade_id", "the trade meant; null: all advice for the account", nullable=True),
        text("verdict", "what the client says to it", allowed=Verdict),
        text("reason", "why; null: not said", nullable=True, allowed=FeedbackReason),
        integer(
            "rating",
            "1 very unhappy .. 5 very happy; null: not said",
            "score",
            nullable=True,
            at_least=1,
            at_most=5,
        ),
        timestamp("given_at", "when the client said so"),
        *recorded(),
    ),
    references={
        "client_id": "client.client_id",
        "run_id": "advice_run.run_id",
        "trade_id": "trade.trade_id",
    },
    indexes=(("client_id",), ("run_id", "account_id")),
)

LOT_SALE = Table(
    name="lot_sale",
    grain="one row per sell and lot that it closed, wholly or in part; never changed",
    key=("transaction_id", "lot_id"),
    columns=(
        text("transaction_id", "the sell"),
        text("lot_id", "the lot; $NONE: shares that no lot told of"),
        text("account_id", "the account"),
        text("symbol", "instrument sold"),
        date("sold_date", "trade date of the sell"),
        integer("quantity_micros", "sold of the lot, millionths of a share", "micros", at_least=1),
        integer("proceeds_cents", "its part of the sell, after fees", "US cents"),
        integer(
            "basis_cents",
            "its part of the basis; null: unknown",
            "US cents",
            nullable=True,
            at_least=0,
        ),
        date(
            "holding_period_start_date",
            "date from which the holding period counted; null: unknown",
            nullable=True,
        ),
        *recorded(),
    ),
    references={"transaction_id": "transaction.transaction_id"},
    indexes=(("account_id", "sold_date"),),
)

WASH_SALE = Table(
    name="wash_sale",
    grain="one row per lot sold at a loss and lot that replaced it within 30 days; never changed",
    key=("transaction_id", "lot_id", "replacement_lot_id"),
    columns=(
        text("transaction_id", "the sell at a loss"),
        text("lot_id", "the lot that it closed"),
        text("replacement_lot_id", "lot of the same substitute group, of any of the client's"),
        text("account_id", "account of the sell"),
        text("replacement_account_id", "account of the lot that replaced it"),
        integer("quantity_micros", "shares that were replaced", "micros", at_least=1),
        integer("disallowed_cents", "loss that is not deducted", "US cents", at_least=1),
        boolean(
            "is_forfeited",
            "whether the loss is gone, since the replacement is in a retirement account; else it "
            "is part of the replacement's basis",
        ),
        *recorded(),
    ),
    references={"transaction_id": "transaction.transaction_id"},
    indexes=(("account_id",), ("replacement_account_id",)),
)

LEDGER = (CASH_FLOW, TRANSACTION, TAX_LOT, FEEDBACK, LOT_SALE, WASH_SALE)

_COPIED_TRANSACTION = replace(
    TRANSACTION,
    columns=tuple(column for column in TRANSACTION if not column.personal),
    unique=(),
)
COPIED_LEDGER = (CASH_FLOW, _COPIED_TRANSACTION, TAX_LOT, FEEDBACK, LOT_SALE, WASH_SALE)
"""The ledger without the reporter's own keys, in which an account's number may stand."""
