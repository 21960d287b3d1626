"""Output tables of the SQL store: what a run did with each account, and its target.

Tables that shards write have no foreign keys: looking each of millions of rows up takes longer than
writing it. ``advice_shard`` has one, and is written with them.
"""

from models.declaration import Table, boolean, integer, number, text
from models.vocabulary import Constraint, NoTrade, Outcome, Trigger

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
    indexes=(("account_id",),),
)

TARGET_ALLOCATION = Table(
    name="target_allocation",
    grain="one row per run, account and symbol, $CASH included",
    key=("run_id", "account_id", "symbol"),
    found_by=("run_id", "account_id"),
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
        number(
            "goal_upper_bound",
            "largest share of its goal's worth allowed, in all accounts together; null: made by a "
            "release that did not keep it",
            "fraction",
            nullable=True,
        ),
    ),
)
