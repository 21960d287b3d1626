"""Output tables of the SQL store: trades, why they are made, the lots they close, and orders."""

from models.declaration import Table, boolean, date, integer, text
from models.vocabulary import Side, TradeStatus

TRADE = Table(
    name="trade",
    grain="one row per trade",
    key=("trade_id",),
    columns=(
        text("trade_id", "digests of run and account, and of the symbol"),
        text("run_id", "the run"),
        text("account_id", "the account"),
        text("symbol", "instrument traded"),
        text("side", "buy or sell", allowed=Side),
        integer("quantity_micros", "millionths of a share", "micros", at_least=1),
        integer("price_micros", "price it was sized at", "micros of USD per share", at_least=1),
        integer("notional_cents", "quantity times price, half-even", "US cents", at_least=0),
        integer("fee_cents", "estimated cost", "US cents", at_least=0),
        integer("sequence", "order within the account, sells first", "rank", at_least=1),
        text("status", "where the trade stands", allowed=TradeStatus),
        date("valid_until", "last session on which it may be executed"),
    ),
    indexes=(("run_id", "account_id"),),
    partial_indexes={"status <> 'proposed'": ("run_id", "status")},
)

CAUSES = {
    "drift": "back to the last target after prices moved",
    "cash_flow": "investing or raising external cash",
    "profile": "goal, horizon and risk score",
    "constraints": "bounds, exclusions and preferences",
    "risk_model": "today's covariance in place of the long-run one",
    "forecast": "the model's views",
    "cost": "cost of trading",
    "tax": "tax",
    "rounding": "whole shares, minimum trade and cash left over",
}

TRADE_REASON = Table(
    name="trade_reason",
    grain="one row per trade; the signed causes sum to its signed quantity",
    key=("trade_id",),
    columns=(
        text("trade_id", "the trade"),
        *(
            integer(f"{cause}_micros", f"shares because of {meaning}", "signed micros")
            for cause, meaning in CAUSES.items()
        ),
        text("sentence", "the reason in words a client understands"),
    ),
)

TRADE_LOT = Table(
    name="trade_lot",
    grain="one row per sell and tax lot that it closes, wholly or in part",
    key=("trade_id", "lot_id"),
    found_by=("trade_id",),
    columns=(
        text("trade_id", "the sell"),
        text("lot_id", "the lot"),
        integer("quantity_micros", "sold of the lot, millionths of a share", "micros", at_least=1),
        integer("proceeds_cents", "its part of the sale, after fees", "US cents"),
        integer(
            "basis_cents",
            "its part of the basis; null: unknown",
            "US cents",
            nullable=True,
            at_least=0,
        ),
        boolean("is_long_term", "whether held for more than a year; null: unknown", nullable=True),
        integer(
            "disallowed_cents",
            "loss that a wash sale carries over or forfeits",
            "US cents",
            at_least=0,
        ),
    ),
)

OPEN_ORDER = Table(
    name="open_order",
    grain="one row per run and order that was with the broker when the run was made",
    key=("run_id", "account_id", "trade_id"),
    columns=(
        text("run_id", "the run that counted it"),
        text("account_id", "the account"),
        text("trade_id", "the trade of an earlier run, or of a run that this one replaces"),
        integer(
            "left_micros",
            "what it would still change of the holdings; 0: nothing, but it keeps the account from "
            "being advised on anew for the same session",
            "signed micros",
        ),
    ),
)
