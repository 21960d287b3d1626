"""Create the tables of client inputs and reference data."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_client()
    _create_client_identity()
    _create_risk_profile()
    _create_goal()
    _create_preference()
    _create_account()
    _create_holding()
    _create_cash_flow()
    _create_instrument()
    _create_market_price()


def _create_client() -> None:
    op.create_table(
        "client",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_client"),
    )


def _create_client_identity() -> None:
    op.create_table(
        "client_identity",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("external_ref", sa.Text, nullable=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("birth_date", sa.Date, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_client_identity"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.client_id"], name="fk_client_identity_client_id"
        ),
        sa.UniqueConstraint("external_ref", name="uq_client_identity_external_ref"),
    )


def _create_risk_profile() -> None:
    op.create_table(
        "risk_profile",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("annual_income_cents", sa.BigInteger, nullable=False),
        sa.Column("annual_expenses_cents", sa.BigInteger, nullable=False),
        sa.Column("liquid_assets_cents", sa.BigInteger, nullable=False),
        sa.Column("income_stability", sa.BigInteger, nullable=False),
        sa.Column("emergency_fund_months", sa.BigInteger, nullable=False),
        sa.Column("max_loss_percent", sa.BigInteger, nullable=False),
        sa.Column("reaction_to_fall", sa.BigInteger, nullable=False),
        sa.Column("gamble_choice", sa.BigInteger, nullable=False),
        sa.Column("stated_attitude", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "version", name="pk_risk_profile"),
        sa.CheckConstraint("version >= 1", name="ck_risk_profile_version_at_least"),
        sa.CheckConstraint(
            "annual_income_cents >= 0", name="ck_risk_profile_annual_income_cents_at_least"
        ),
        sa.CheckConstraint(
            "annual_expenses_cents >= 0", name="ck_risk_profile_annual_expenses_cents_at_least"
        ),
        sa.CheckConstraint(
            "liquid_assets_cents >= 0", name="ck_risk_profile_liquid_assets_cents_at_least"
        ),
        sa.CheckConstraint(
            "income_stability >= 1", name="ck_risk_profile_income_stability_at_least"
        ),
        sa.CheckConstraint(
            "income_stability <= 5", name="ck_risk_profile_income_stability_at_most"
        ),
        sa.CheckConstraint(
            "emergency_fund_months >= 0", name="ck_risk_profile_emergency_fund_months_at_least"
        ),
        sa.CheckConstraint(
            "emergency_fund_months <= 120", name="ck_risk_profile_emergency_fund_months_at_most"
        ),
        sa.CheckConstraint(
            "max_loss_percent >= 0", name="ck_risk_profile_max_loss_percent_at_least"
        ),
        sa.CheckConstraint(
            "max_loss_percent <= 100", name="ck_risk_profile_max_loss_percent_at_most"
        ),
        sa.CheckConstraint(
            "reaction_to_fall >= 1", name="ck_risk_profile_reaction_to_fall_at_least"
        ),
        sa.CheckConstraint(
            "reaction_to_fall <= 5", name="ck_risk_profile_reaction_to_fall_at_most"
        ),
        sa.CheckConstraint("gamble_choice >= 1", name="ck_risk_profile_gamble_choice_at_least"),
        sa.CheckConstraint("gamble_choice <= 5", name="ck_risk_profile_gamble_choice_at_most"),
        sa.CheckConstraint("stated_attitude >= 1", name="ck_risk_profile_stated_attitude_at_least"),
        sa.CheckConstraint("stated_attitude <= 5", name="ck_risk_profile_stated_attitude_at_most"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.client_id"], name="fk_risk_profile_client_id"
        ),
    )


def _create_goal() -> None:
    op.create_table(
        "goal",
        sa.Column("goal_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target_cents", sa.BigInteger, nullable=False),
        sa.Column("target_date", sa.Date, nullable=False),
        sa.Column("priority", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("goal_id", "version", name="pk_goal"),
        sa.CheckConstraint("version >= 1", name="ck_goal_version_at_least"),
        sa.CheckConstraint(
            "kind IN ('retirement', 'house', 'education', 'emergency_fund', 'wealth')",
            name="ck_goal_kind_allowed",
        ),
        sa.CheckConstraint("target_cents >= 1", name="ck_goal_target_cents_at_least"),
        sa.CheckConstraint("priority >= 1", name="ck_goal_priority_at_least"),
        sa.CheckConstraint("priority <= 9", name="ck_goal_priority_at_most"),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_goal_client_id"),
    )
    op.create_index("ix_goal_client_id", "goal", ["client_id"])


def _create_preference() -> None:
    op.create_table(
        "preference",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("limit_weight", sa.Double, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "version", "kind", "subject", name="pk_preference"),
        sa.CheckConstraint("version >= 1", name="ck_preference_version_at_least"),
        sa.CheckConstraint(
            "kind IN ('exclude_symbol', 'exclude_class', 'max_symbol_weight')",
            name="ck_preference_kind_allowed",
        ),
        sa.CheckConstraint("limit_weight >= 0", name="ck_preference_limit_weight_at_least"),
        sa.CheckConstraint("limit_weight <= 1", name="ck_preference_limit_weight_at_most"),
        sa.CheckConstraint(
            "limit_weight > -1e308 AND limit_weight < 1e308",
            name="ck_preference_limit_weight_finite",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.client_id"], name="fk_preference_client_id"
        ),
    )


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("goal_id", sa.Text, nullable=False),
        sa.Column("tax_kind", sa.Text, nullable=False),
        sa.Column("share_kind", sa.Text, nullable=False),
        sa.Column("cash_buffer_cents", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "version", name="pk_account"),
        sa.CheckConstraint("version >= 1", name="ck_account_version_at_least"),
        sa.CheckConstraint(
            "tax_kind IN ('taxable', 'tax_deferred', 'tax_free')",
            name="ck_account_tax_kind_allowed",
        ),
        sa.CheckConstraint(
            "share_kind IN ('whole', 'fractional')", name="ck_account_share_kind_allowed"
        ),
        sa.CheckConstraint("cash_buffer_cents >= 0", name="ck_account_cash_buffer_cents_at_least"),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_account_client_id"),
    )
    op.create_index("ix_account_client_id", "account", ["client_id"])
    op.create_index("ix_account_goal_id", "account", ["goal_id"])


def _create_holding() -> None:
    op.create_table(
        "holding",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("quantity_micros", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "version", "symbol", name="pk_holding"),
        sa.CheckConstraint("version >= 1", name="ck_holding_version_at_least"),
    )


def _create_cash_flow() -> None:
    op.create_table(
        "cash_flow",
        sa.Column("cash_flow_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("frequency", sa.Text, nullable=False),
        sa.Column("first_date", sa.Date, nullable=False),
        sa.Column("last_date", sa.Date, nullable=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cash_flow_id", "version", name="pk_cash_flow"),
        sa.CheckConstraint("version >= 1", name="ck_cash_flow_version_at_least"),
        sa.CheckConstraint("kind IN ('deposit', 'withdrawal')", name="ck_cash_flow_kind_allowed"),
        sa.CheckConstraint("amount_cents >= 1", name="ck_cash_flow_amount_cents_at_least"),
        sa.CheckConstraint(
            "frequency IN ('once', 'monthly', 'quarterly', 'yearly')",
            name="ck_cash_flow_frequency_allowed",
        ),
        sa.CheckConstraint(
            "status IN ('planned', 'settled', 'cancelled')", name="ck_cash_flow_status_allowed"
        ),
    )
    op.create_index("ix_cash_flow_account_id", "cash_flow", ["account_id"])


def _create_instrument() -> None:
    op.create_table(
        "instrument",
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("asset_class", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("expense_ratio_bps", sa.BigInteger, nullable=False),
        sa.Column("substitute_group", sa.Text, nullable=False),
        sa.Column("reference_weight", sa.Double, nullable=False),
        sa.Column("tradable", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("symbol", name="pk_instrument"),
        sa.CheckConstraint(
            "asset_class IN ('technology', 'financials', 'health_care', 'consumer', 'energy', "
            "'industrials', 'factor', 'index')",
            name="ck_instrument_asset_class_allowed",
        ),
        sa.CheckConstraint(
            "expense_ratio_bps >= 0", name="ck_instrument_expense_ratio_bps_at_least"
        ),
        sa.CheckConstraint("reference_weight >= 0", name="ck_instrument_reference_weight_at_least"),
        sa.CheckConstraint(
            "reference_weight > -1e308 AND reference_weight < 1e308",
            name="ck_instrument_reference_weight_finite",
        ),
        sa.CheckConstraint(
            sa.column("tradable").in_([sa.false(), sa.true()]),
            name="ck_instrument_tradable_boolean",
        ),
    )


def _create_market_price() -> None:
    op.create_table(
        "market_price",
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("session_date", sa.Date, nullable=False),
        sa.Column("price_micros", sa.BigInteger, nullable=False),
        sa.Column("data_snapshot", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("symbol", name="pk_market_price"),
        sa.CheckConstraint("price_micros >= 1", name="ck_market_price_price_micros_at_least"),
    )
