"""Output tables of the SQL store: runs, allocations, trades, outcomes and their lineage.

Apps read the ``current_*`` views, which show published runs only.
"""

from models.declaration import Table, boolean, date, integer, number, text, timestamp
from models.store_explanations import EXPLANATIONS
from models.store_forecasts import FORECASTS
from models.store_scores import SCORES
from models.vocabulary import (
    Constraint,
    NoTrade,
    Outcome,
    RunStatus,
    ShardStatus,
    Side,
    Source,
    TradeStatus,
    Trigger,
)

ADVICE_RUN = Table(
    name="advice_run",
    grain="one row per run",
    key=("run_id",),
    columns=(
        text("run_id", "digest of everything that determines the run"),
        text("source", "where market data came from", allowed=Source),
        date("session_date", "exchange session the run advises on"),
        text("status", "readers see published runs only", allowed=RunStatus),
        text("data_snapshot", "digest of the manifest of market data and client inputs"),
        text("feature_hash", "digest of the feature table that forecasts were made from"),
        text("model_name", "registered model whose forecasts served"),
        integer("model_version", "its version number in the registry", "count", at_least=1),
        text("mlflow_run_id", "MLflow run that trained it"),
        text("config_hash", "digest of the settings that change results"),
        text("history_hash", "digest of the runs then published for earlier sessions"),
        text("code_version", "release and digest of the code"),
        timestamp("started_at", "when the run was begun"),
        timestamp("published_at", "when readers could see it", nullable=True),
        text("supersedes", "run that this one replaces", nullable=True),
    ),
    references={"supersedes": "advice_run.run_id"},
    indexes=(("session_date", "status"),),
)

SNAPSHOT_FILE = Table(
    name="snapshot_file",
    grain="one row per snapshot and file",
    key=("data_snapshot", "path"),
    columns=(
        text("data_snapshot", "digest of the manifest that lists the file"),
        text("path", "path inside the lake"),
        text("digest", "SHA-256 of the file's bytes"),
        integer("rows", "rows in the file", "count", at_least=0),
    ),
)

TARGET_ALLOCATION = Table(
    name="target_allocation",
    grain="one row per run, account and symbol, $CASH included",
    key=("run_id", "account_id", "symbol"),
    columns=(
        text("run_id", "the run"),
        text("account_id", "the account"),
        text("symbol", "instrument, or $CASH"),
        number("weight", "target share of the account's worth", "fraction", at_least=0, at_most=1),
        number("current_weight", "share before trading", "fraction"),
        number("lower_bound", "least weight allowed", "fraction"),
        number("upper_bound", "largest weight allowed", "fraction"),
        boolean("bound_binds", "whether the target sits on a bound"),
        text(
            "binding_constraint",
            "which constraint holds the weight; null: none",
            nullable=True,
            allowed=Constraint,
        ),
        text(
            "no_trade",
            "why nothing is traded though the target differs; null: a trade is made or none needed",
            nullable=True,
            allowed=NoTrade,
        ),
    ),
    references={"run_id": "advice_run.run_id"},
    indexes=(("account_id",),),
)

TRADE = Table(
    name="trade",
    grain="one row per trade",
    key=("trade_id",),
    columns=(
        text("trade_id", "digest of run, account and symbol"),
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
    references={"run_id": "advice_run.run_id"},
    indexes=(("run_id", "account_id"),),
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
    references={"trade_id": "trade.trade_id"},
)

TRADE_LOT = Table(
    name="trade_lot",
    grain="one row per sell and tax lot that it closes, wholly or in part",
    key=("trade_id", "lot_id"),
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
    references={"trade_id": "trade.trade_id"},
)

ADVICE_SHARD = Table(
    name="advice_shard",
    grain="one row per run and shard: some clients' accounts, written together",
    key=("run_id", "shard"),
    columns=(
        text("run_id", "the run"),
        integer("shard", "number of the shard", "count", at_least=0),
        text("status", "whether its rows are there", allowed=ShardStatus),
        integer("accounts", "accounts advised on", "count", at_least=0),
        integer("trades", "trades proposed", "count", at_least=0),
        text("digest", "SHA-256 of all its rows, in the order of their keys"),
        timestamp("written_at", "when its rows were written"),
    ),
    references={"run_id": "advice_run.run_id"},
)

CLIENT_OUTCOME = Table(
    name="client_outcome",
    grain="one row per run and account",
    key=("run_id", "account_id"),
    columns=(
        text("run_id", "the run"),
        text("account_id", "the account"),
        text("client_id", "whose account it is"),
        text("outcome", "what the run did", allowed=Outcome),
        text(
            "allocation_run_id",
            "run that last wrote this account's target; null if none ever did",
            nullable=True,
        ),
        text("trigger", "why it was traded", allowed=Trigger),
        integer(
            "risk_score",
            "score the target was made for",
            "1..100",
            nullable=True,
            at_least=1,
            at_most=100,
        ),
        number(
            "drift", "half the sum of absolute weight gaps", "fraction", nullable=True, at_least=0
        ),
        number("objective", "utility at the optimum", "per horizon", nullable=True),
        number(
            "kkt_residual",
            "largest violation of the optimality conditions",
            "scaled",
            nullable=True,
            at_least=0,
        ),
        text("solver", "which solver gave the weights", nullable=True),
        text("relaxed_constraints", "constraints given up, comma-separated", nullable=True),
        integer(
            "wealth_cents",
            "worth at the run's prices; null: a holding has no fresh price, so it is unknown",
            "US cents",
            nullable=True,
        ),
        integer("cash_before_cents", "cash before trading", "US cents"),
        integer("sells_cents", "proceeds of sells", "US cents", at_least=0),
        integer("buys_cents", "cost of buys", "US cents", at_least=0),
        integer("fees_cents", "fees of all trades", "US cents", at_least=0),
        integer("cash_after_cents", "cash after trading", "US cents"),
        text("sentence", "what happened and why, in words a client understands"),
    ),
    references={"run_id": "advice_run.run_id"},
    indexes=(("account_id",),),
)

CLIENT_ISSUE = Table(
    name="client_issue",
    grain="one row per client input file, line and field that could not be used",
    key=("issue_id",),
    columns=(
        text("issue_id", "digest of file, line and field"),
        text("client_id", "the client, where known", nullable=True),
        text("file_digest", "SHA-256 of the file that held it"),
        integer("line", "line in that file", "count", at_least=1),
        text("field", "field that is wrong"),
        text("cause", "what is wrong, without the value: a shifted column puts a name anywhere"),
        text("remedy", "what to do about it"),
        timestamp("since", "when it was first seen"),
    ),
)

QUARANTINE = Table(
    name="quarantine",
    grain="one row per rejected version of a row of market data that nobody released, and rule",
    key=("source", "dataset", "symbol", "session_date", "detail", "known_at", "rule"),
    columns=(
        text("source", "provider of the row", allowed=Source),
        text("dataset", "prices, actions, macro, instruments or universe"),
        text("symbol", "the provider's symbol, or the macro series"),
        date("session_date", "day that the row speaks of; of an instrument, when it was known"),
        text("detail", "kind of an action, universe of a membership; else empty"),
        timestamp("known_at", "version that was rejected"),
        text("rule", "expectation that it failed"),
        text("observed_value", "the offending value as text", nullable=True),
        text("reason", "what is wrong, in a sentence"),
        text("remedy", "what to do about it"),
        timestamp("since", "when it was first rejected"),
    ),
)

OUTPUTS = (
    ADVICE_RUN,
    SNAPSHOT_FILE,
    *FORECASTS,
    *SCORES,
    TARGET_ALLOCATION,
    TRADE,
    TRADE_REASON,
    TRADE_LOT,
    CLIENT_OUTCOME,
    ADVICE_SHARD,
    CLIENT_ISSUE,
    QUARANTINE,
    *EXPLANATIONS,
)
