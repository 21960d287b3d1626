"""Input tables of the SQL store: who the clients are and what they want.

A change adds rows under the owner's next ``version`` with who recorded them and when, and the
owner's highest version is the current one. Clients and their identities have no versions.
Personal data lives in ``client_identity`` and nowhere else.
"""

from models.declaration import Table, boolean, date, integer, number, text
from models.recording import recorded, version_of
from models.store_ledger import COPIED_LEDGER, LEDGER
from models.vocabulary import (
    AssetClass,
    GoalKind,
    PreferenceKind,
    ShareKind,
    TaxKind,
)

CLIENT = Table(
    name="client",
    grain="one row per client",
    key=("client_id",),
    columns=(
        text("client_id", "surrogate key; says nothing about the person"),
        *recorded(),
    ),
)

CLIENT_IDENTITY = Table(
    name="client_identity",
    grain="one row per client; the only place of personal data",
    key=("client_id",),
    columns=(
        text("client_id", "the client"),
        text("external_ref", "the client's key in the system that sent it; unique", personal=True),
        text("full_name", "name", personal=True),
        text("email", "contact address", personal=True),
        date("birth_date", "date of birth", personal=True),
        *recorded(),
    ),
    references={"client_id": "client.client_id"},
    unique=(("external_ref",),),
)

RISK_PROFILE = Table(
    name="risk_profile",
    grain="one row per client and version: the answered questionnaire",
    key=("client_id", "version"),
    columns=(
        text("client_id", "the client"),
        version_of("client"),
        integer("annual_income_cents", "yearly income after tax", "US cents", at_least=0),
        integer("annual_expenses_cents", "yearly spending", "US cents", at_least=0),
        integer("liquid_assets_cents", "savings outside these accounts", "US cents", at_least=0),
        integer("income_stability", "1 very unsure .. 5 very sure", "score", at_least=1, at_most=5),
        integer(
            "emergency_fund_months",
            "months of spending set aside",
            "months",
            at_least=0,
            at_most=120,
        ),
        integer(
            "max_loss_percent",
            "loss over a year that the client says they could bear",
            "percent",
            at_least=0,
            at_most=100,
        ),
        integer(
            "reaction_to_fall",
            "after a 20 % fall: 1 sell everything .. 5 buy more",
            "score",
            at_least=1,
            at_most=5,
        ),
        integer(
            "gamble_choice",
            "chosen gamble: 1 the sure amount .. 5 the widest spread",
            "score",
            at_least=1,
            at_most=5,
        ),
        integer(
            "stated_attitude",
            "own description: 1 very careful .. 5 very daring",
            "score",
            at_least=1,
            at_most=5,
        ),
        *recorded(),
    ),
    references={"client_id": "client.client_id"},
)

GOAL = Table(
    name="goal",
    grain="one row per goal and version",
    key=("goal_id", "version"),
    columns=(
        text("goal_id", "surrogate key"),
        version_of("goal"),
        text("client_id", "whose goal it is"),
        text("kind", "what the money is for", allowed=GoalKind),
        integer("target_cents", "amount wanted at the target date", "US cents", at_least=1),
        date("target_date", "when the money is wanted"),
        integer("priority", "1 is the most important", "rank", at_least=1, at_most=9),
        *recorded(),
    ),
    references={"client_id": "client.client_id"},
    indexes=(("client_id",),),
)

PREFERENCE = Table(
    name="preference",
    grain="one row per client, version, kind and subject",
    key=("client_id", "version", "kind", "subject"),
    columns=(
        text("client_id", "the client"),
        version_of("client"),
        text("kind", "what is asked for", allowed=PreferenceKind),
        text("subject", "symbol or class that is meant; '*' for every symbol"),
        number(
            "limit_weight",
            "largest weight allowed; null for an exclusion",
            "fraction",
            nullable=True,
            at_least=0,
            at_most=1,
        ),
        *recorded(),
    ),
    references={"client_id": "client.client_id"},
)

ACCOUNT = Table(
    name="account",
    grain="one row per account and version",
    key=("account_id", "version"),
    columns=(
        text("account_id", "surrogate key"),
        version_of("account"),
        text("client_id", "whose account it is"),
        text("goal_id", "the goal it serves"),
        text("tax_kind", "how it is taxed", allowed=TaxKind),
        text("share_kind", "whole shares only, or fractions", allowed=ShareKind),
        integer("cash_buffer_cents", "cash that trades must leave", "US cents", at_least=0),
        *recorded(),
    ),
    references={"client_id": "client.client_id"},
    indexes=(("client_id",), ("goal_id",)),
)

HOLDING = Table(
    name="holding",
    grain="one row per account, version and symbol; cash is the symbol $CASH",
    key=("account_id", "version", "symbol"),
    columns=(
        text("account_id", "the account"),
        version_of("account's holdings"),
        text("symbol", "instrument held, or $CASH"),
        integer("quantity_micros", "millionths of a share (of a dollar for $CASH)", "micros"),
        *recorded(),
    ),
)

INSTRUMENT = Table(
    name="instrument",
    grain="one row per symbol",
    key=("symbol",),
    columns=(
        text("symbol", "the instrument"),
        text("source", "where its data comes from"),
        text("name", "the instrument's usual name"),
        text("asset_class", "class that bounds and exclusions speak of", allowed=AssetClass),
        text("currency", "ISO 4217 code of its prices"),
        integer("expense_ratio_bps", "yearly cost of holding it", "basis points", at_least=0),
        text("substitute_group", "instruments that track the same thing share a group"),
        number("reference_weight", "share in the reference portfolio", "fraction", at_least=0),
        boolean("tradable", "whether client accounts may hold it"),
    ),
)

MARKET_PRICE = Table(
    name="market_price",
    grain="one row per symbol: its last valuation",
    key=("symbol",),
    columns=(
        text("symbol", "the instrument"),
        date("session_date", "session of the price"),
        integer("price_micros", "closing price", "micros of USD per share", at_least=1),
        text("data_snapshot", "snapshot that the price comes from"),
    ),
)

INPUTS = (CLIENT, CLIENT_IDENTITY, RISK_PROFILE, GOAL, PREFERENCE, ACCOUNT, HOLDING, *LEDGER)
REFERENCE = (INSTRUMENT, MARKET_PRICE)
SNAPSHOT = (CLIENT, RISK_PROFILE, GOAL, PREFERENCE, ACCOUNT, HOLDING, *COPIED_LEDGER)
"""Inputs that are copied into the lake before a run; never the identity."""
WITH_ALL_VERSIONS = (HOLDING,)
"""Those of them that are copied with all their versions: returns ask for what was held when."""
