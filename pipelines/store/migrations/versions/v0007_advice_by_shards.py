"""Let runs be written by shards, targets say what holds them, and sells name their tax lots.

Tables that shards write lose their foreign keys: looking up each of millions of rows takes longer
than writing it. What is stored is carried over.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WRITTEN_BY_SHARDS = {
    "trade_reason": "trade_id",  # first, because it refers to trade
    "trade": "run_id",
    "client_outcome": "run_id",
    "target_allocation": "run_id",
}

_TRIGGER = "ck_client_outcome_trigger_allowed"
_TRIGGERS_BEFORE = "\"trigger\" IN ('first_advice', 'drift', 'profile_change', 'none')"
_TRIGGERS = (
    "\"trigger\" IN ('first_advice', 'profile_change', 'constraint_change', 'cash_flow', 'drift', "
    "'harvest', 'none')"
)

_NEW_WORDS = {
    "binding_constraint": (
        "'turnover', 'minimum_invested', 'class_limit', 'symbol_limit', 'suitability', "
        "'client_wish'"
    ),
    "no_trade": (
        "'within_band', 'cooldown', 'less_than_a_lot', 'below_minimum', 'cash_short', "
        "'wash_sale', 'open_order', 'held'"
    ),
}

_VIEWS_BEFORE = (
    "current_forecast",
    "current_outcome",
    "current_target_allocation",
    "current_trade",
)

_CURRENT_RUN = """
    SELECT run_id FROM advice_run WHERE status = 'published'
    ORDER BY session_date DESC, published_at DESC LIMIT 1
"""


def _of_current_run(table: str) -> str:
    return f"SELECT {table}.* FROM {table} WHERE {table}.run_id = ({_CURRENT_RUN})"


def _of_current_target(table: str) -> str:
    """Return the rows of the runs that last wrote each account's target."""
    return f"""
        SELECT {table}.* FROM client_outcome
        JOIN {table}
            ON {table}.run_id = client_outcome.allocation_run_id
            AND {table}.account_id = client_outcome.account_id
        WHERE client_outcome.run_id = ({_CURRENT_RUN})
    """


def _of_current_trade(table: str) -> str:
    return f"""
        SELECT {table}.* FROM {table}
        JOIN trade ON trade.trade_id = {table}.trade_id
        WHERE trade.run_id = ({_CURRENT_RUN})
    """


_COUNTERFACTUALS = {
    "sqlite": """
        SELECT run_id, account_id, each.key AS symbol, view, each.value / 1e9 AS weight
        FROM counterfactual_target, json_each(weights) AS each
    """,
    "postgresql": """
        SELECT run_id, account_id, each.key AS symbol, view,
            each.value::bigint / 1e9::double precision AS weight
        FROM counterfactual_target, json_each_text(weights::json) AS each
    """,
}

_VIEWS = {
    "current_forecast": _of_current_run("forecast"),
    "current_outcome": _of_current_run("client_outcome"),
    "current_goal_projection": _of_current_run("goal_projection"),
    "current_target_allocation": _of_current_target("target_allocation"),
    "current_counterfactual_allocation": _of_current_target("counterfactual_allocation"),
    "current_trade": _of_current_run("trade"),
    "current_trade_reason": _of_current_trade("trade_reason"),
    "current_trade_lot": _of_current_trade("trade_lot"),
}


def upgrade() -> None:
    """Change the tables, rows and all, create the new ones, and make all views anew."""
    for view in _VIEWS_BEFORE:
        op.execute(f"DROP VIEW {view}")
    # Accounts are found in client_outcome, and lead to their rows by the key.
    op.drop_index("ix_target_allocation_account_id", "target_allocation")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_on_sqlite()
    else:
        _alter_on_postgresql()
    double = sa.Double().compile(op.get_bind().dialect)
    for name, words in _NEW_WORDS.items():
        check = f"ck_target_allocation_{name}_allowed"
        op.execute(
            f"ALTER TABLE target_allocation ADD COLUMN {name} TEXT "
            f"CONSTRAINT {check} CHECK ({name} IN ({words}))"
        )
    op.execute(
        f"ALTER TABLE target_allocation ADD COLUMN goal_upper_bound {double} "
        "CONSTRAINT ck_target_allocation_goal_upper_bound_finite "
        "CHECK (goal_upper_bound > -1e308 AND goal_upper_bound < 1e308)"
    )
    # No release wrote these two.
    op.drop_table("counterfactual_allocation")
    op.drop_table("goal_projection")
    _create_counterfactual_target()
    dialect = op.get_bind().dialect.name
    op.execute(f"CREATE VIEW counterfactual_allocation AS {_COUNTERFACTUALS[dialect]}")
    _create_goal_projection()
    _create_trade_lot()
    _create_advice_shard()
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def _alter_on_postgresql() -> None:
    for table, column in _WRITTEN_BY_SHARDS.items():
        op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
    op.drop_constraint(_TRIGGER, "client_outcome", type_="check")
    op.create_check_constraint(_TRIGGER, "client_outcome", sa.text(_TRIGGERS))


def _rebuild_on_sqlite() -> None:
    """Make each table anew from its own statement, since SQLite drops no constraint."""
    # Transactions refer to trades, which are gone for a moment.
    op.execute("PRAGMA defer_foreign_keys = ON")
    for table, column in _WRITTEN_BY_SHARDS.items():
        statements = _statements(table)
        statement = _without_foreign_key(statements[0], f"fk_{table}_{column}")
        if table == "client_outcome":
            statement = _replaced(statement, _TRIGGERS_BEFORE, _TRIGGERS)
        kept = f"{table}_of_0006"
        op.execute(f"CREATE TABLE {kept} AS SELECT * FROM {table}")
        op.drop_table(table)
        for each in (statement, *statements[1:]):
            op.execute(each)
        op.execute(f"INSERT INTO {table} SELECT * FROM {kept}")
        op.drop_table(kept)


def _statements(table: str) -> list[str]:
    """Return what made a table and its indexes."""
    found = op.get_bind().execute(
        sa.text(
            "SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL "
            "ORDER BY type DESC"  # the table before its indexes
        ),
        {"name": table},
    )
    return [str(row.sql) for row in found]


def _without_foreign_key(statement: str, name: str) -> str:
    found = re.search(
        rf",\s*CONSTRAINT {name} FOREIGN KEY ?\([^)]*\) REFERENCES [^)]*\)", statement
    )
    if found is None:
        raise ValueError(f"no foreign key {name} in: {statement}")
    return statement.replace(found[0], "")


def _replaced(statement: str, before: str, after: str) -> str:
    if before not in statement:
        raise ValueError(f"no {before} in: {statement}")
    return statement.replace(before, after)


def _create_counterfactual_target() -> None:
    op.create_table(
        "counterfactual_target",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("weights", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "account_id", "view", name="pk_counterfactual_target"),
        sa.CheckConstraint(
            "\"view\" IN ('lstm', 'ma', 'none')", name="ck_counterfactual_target_view_allowed"
        ),
    )


def _create_goal_projection() -> None:
    op.create_table(
        "goal_projection",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("goal_id", sa.Text, nullable=False),
        sa.Column("goal_version", sa.BigInteger, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("success_probability", sa.Double, nullable=False),
        sa.Column("probability_error", sa.Double, nullable=False),
        sa.Column("wealth_cents", sa.BigInteger, nullable=False),
        sa.Column("planned_cash_flow_cents", sa.BigInteger, nullable=False),
        sa.Column("lower_worth_cents", sa.BigInteger, nullable=False),
        sa.Column("median_worth_cents", sa.BigInteger, nullable=False),
        sa.Column("upper_worth_cents", sa.BigInteger, nullable=False),
        sa.Column("aimed_probability", sa.Double, nullable=False),
        sa.Column("extra_monthly_cents", sa.BigInteger, nullable=True),
        sa.Column("later_target_date", sa.Date, nullable=True),
        sa.Column("lower_target_cents", sa.BigInteger, nullable=True),
        sa.Column("higher_risk_score", sa.BigInteger, nullable=True),
        sa.Column("best_lever", sa.Text, nullable=True),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "goal_id", name="pk_goal_projection"),
        *_shares("success_probability", "probability_error", "aimed_probability"),
        *(
            sa.CheckConstraint(condition, name=f"ck_goal_projection_{rule}")
            for rule, condition in {
                "goal_version_at_least": "goal_version >= 1",
                "extra_monthly_cents_at_least": "extra_monthly_cents >= 1",
                "lower_target_cents_at_least": "lower_target_cents >= 0",
                "higher_risk_score_at_least": "higher_risk_score >= 1",
                "higher_risk_score_at_most": "higher_risk_score <= 100",
                "best_lever_allowed": "best_lever IN "
                "('save_more', 'wait_longer', 'want_less', 'take_more_risk')",
            }.items()
        ),
    )
    op.create_index("ix_goal_projection_goal_id", "goal_projection", ["goal_id"])


def _shares(*names: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(f"{name} {condition}", name=f"ck_goal_projection_{name}_{rule}")
        for name in names
        for rule, condition in {
            "at_least": ">= 0",
            "at_most": "<= 1",
            "finite": f"> -1e308 AND {name} < 1e308",
        }.items()
    ]


def _create_trade_lot() -> None:
    op.create_table(
        "trade_lot",
        sa.Column("trade_id", sa.Text, nullable=False),
        sa.Column("lot_id", sa.Text, nullable=False),
        sa.Column("quantity_micros", sa.BigInteger, nullable=False),
        sa.Column("proceeds_cents", sa.BigInteger, nullable=False),
        sa.Column("basis_cents", sa.BigInteger, nullable=True),
        sa.Column("is_long_term", sa.Boolean, nullable=True),
        sa.Column("disallowed_cents", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("trade_id", "lot_id", name="pk_trade_lot"),
        sa.CheckConstraint("quantity_micros >= 1", name="ck_trade_lot_quantity_micros_at_least"),
        sa.CheckConstraint("basis_cents >= 0", name="ck_trade_lot_basis_cents_at_least"),
        sa.CheckConstraint(
            sa.column("is_long_term").in_([sa.false(), sa.true()]),
            name="ck_trade_lot_is_long_term_boolean",
        ),
        sa.CheckConstraint("disallowed_cents >= 0", name="ck_trade_lot_disallowed_cents_at_least"),
    )


def _create_advice_shard() -> None:
    op.create_table(
        "advice_shard",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("shard", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("accounts_per_shard", sa.BigInteger, nullable=False),
        sa.Column("accounts", sa.BigInteger, nullable=False),
        sa.Column("trades", sa.BigInteger, nullable=False),
        sa.Column("inputs_digest", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "shard", name="pk_advice_shard"),
        sa.CheckConstraint("shard >= 0", name="ck_advice_shard_shard_at_least"),
        sa.CheckConstraint(
            "status IN ('written', 'failed')", name="ck_advice_shard_status_allowed"
        ),
        sa.CheckConstraint(
            "accounts_per_shard >= 1", name="ck_advice_shard_accounts_per_shard_at_least"
        ),
        sa.CheckConstraint("accounts >= 0", name="ck_advice_shard_accounts_at_least"),
        sa.CheckConstraint("trades >= 0", name="ck_advice_shard_trades_at_least"),
        sa.ForeignKeyConstraint(["run_id"], ["advice_run.run_id"], name="fk_advice_shard_run_id"),
    )
