"""Create the tables that explain advice and follow it up, and the views that apps read.

The views show the newest session's published run, and nothing unfinished.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CURRENT_RUN = """
    SELECT run_id FROM advice_run WHERE status = 'published'
    ORDER BY session_date DESC, published_at DESC LIMIT 1
"""

_VIEWS = {
    "current_forecast": f"""
        SELECT forecast.* FROM forecast
        WHERE forecast.run_id = ({_CURRENT_RUN})
    """,
    "current_outcome": f"""
        SELECT client_outcome.* FROM client_outcome
        WHERE client_outcome.run_id = ({_CURRENT_RUN})
    """,
    # An account that stayed within its band keeps the target that an earlier run wrote for it.
    "current_target_allocation": f"""
        SELECT target_allocation.* FROM client_outcome
        JOIN target_allocation
            ON target_allocation.run_id = client_outcome.allocation_run_id
            AND target_allocation.account_id = client_outcome.account_id
        WHERE client_outcome.run_id = ({_CURRENT_RUN})
    """,
    "current_trade": f"""
        SELECT trade.* FROM trade
        WHERE trade.run_id = ({_CURRENT_RUN})
    """,
}


def upgrade() -> None:
    """Create the tables and the views."""
    _create_forecast_attribution()
    _create_counterfactual_allocation()
    _create_goal_projection()
    _create_transaction()
    _create_tax_lot()
    _create_feedback()
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def _create_forecast_attribution() -> None:
    op.create_table(
        "forecast_attribution",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("horizon_sessions", sa.BigInteger, nullable=False),
        sa.Column("feature", sa.Text, nullable=False),
        sa.Column("model_version", sa.BigInteger, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("feature_value", sa.Double, nullable=True),
        sa.Column("contribution_log_return", sa.Double, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id",
            "symbol",
            "model_name",
            "horizon_sessions",
            "feature",
            name="pk_forecast_attribution",
        ),
        sa.CheckConstraint(
            "horizon_sessions >= 1", name="ck_forecast_attribution_horizon_sessions_at_least"
        ),
        sa.CheckConstraint(
            "model_version >= 1", name="ck_forecast_attribution_model_version_at_least"
        ),
        sa.CheckConstraint(
            "method IN ('linear_terms', 'integrated_gradients', 'shapley_values')",
            name="ck_forecast_attribution_method_allowed",
        ),
        sa.CheckConstraint(
            "feature_value > -1e308 AND feature_value < 1e308",
            name="ck_forecast_attribution_feature_value_finite",
        ),
        sa.CheckConstraint(
            "contribution_log_return > -1e308 AND contribution_log_return < 1e308",
            name="ck_forecast_attribution_contribution_log_return_finite",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["advice_run.run_id"], name="fk_forecast_attribution_run_id"
        ),
    )


def _create_counterfactual_allocation() -> None:
    op.create_table(
        "counterfactual_allocation",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id", "account_id", "symbol", "view", name="pk_counterfactual_allocation"
        ),
        sa.CheckConstraint(
            "\"view\" IN ('lstm', 'ma', 'none')", name="ck_counterfactual_allocation_view_allowed"
        ),
        sa.CheckConstraint("weight >= 0", name="ck_counterfactual_allocation_weight_at_least"),
        sa.CheckConstraint("weight <= 1", name="ck_counterfactual_allocation_weight_at_most"),
        sa.CheckConstraint(
            "weight > -1e308 AND weight < 1e308", name="ck_counterfactual_allocation_weight_finite"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["advice_run.run_id"], name="fk_counterfactual_allocation_run_id"
        ),
    )
    op.create_index(
        "ix_counterfactual_allocation_account_id", "counterfactual_allocation", ["account_id"]
    )


def _create_goal_projection() -> None:
    op.create_table(
        "goal_projection",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("goal_id", sa.Text, nullable=False),
        sa.Column("goal_version", sa.BigInteger, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("success_probability", sa.Double, nullable=False),
        sa.Column("path_count", sa.BigInteger, nullable=False),
        sa.Column("wealth_cents", sa.BigInteger, nullable=False),
        sa.Column("planned_cash_flow_cents", sa.BigInteger, nullable=False),
        sa.Column("lower_worth_cents", sa.BigInteger, nullable=False),
        sa.Column("median_worth_cents", sa.BigInteger, nullable=False),
        sa.Column("upper_worth_cents", sa.BigInteger, nullable=False),
        sa.Column("aimed_probability", sa.Double, nullable=False),
        sa.Column("extra_monthly_cents", sa.BigInteger, nullable=True),
        sa.Column("later_target_date", sa.Date, nullable=True),
        sa.Column("lower_target_cents", sa.BigInteger, nullable=True),
        sa.Column("best_lever", sa.Text, nullable=True),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "goal_id", name="pk_goal_projection"),
        sa.CheckConstraint("goal_version >= 1", name="ck_goal_projection_goal_version_at_least"),
        sa.CheckConstraint(
            "success_probability >= 0", name="ck_goal_projection_success_probability_at_least"
        ),
        sa.CheckConstraint(
            "success_probability <= 1", name="ck_goal_projection_success_probability_at_most"
        ),
        sa.CheckConstraint(
            "success_probability > -1e308 AND success_probability < 1e308",
            name="ck_goal_projection_success_probability_finite",
        ),
        sa.CheckConstraint("path_count >= 1", name="ck_goal_projection_path_count_at_least"),
        sa.CheckConstraint(
            "aimed_probability >= 0", name="ck_goal_projection_aimed_probability_at_least"
        ),
        sa.CheckConstraint(
            "aimed_probability <= 1", name="ck_goal_projection_aimed_probability_at_most"
        ),
        sa.CheckConstraint(
            "aimed_probability > -1e308 AND aimed_probability < 1e308",
            name="ck_goal_projection_aimed_probability_finite",
        ),
        sa.CheckConstraint(
            "extra_monthly_cents >= 1", name="ck_goal_projection_extra_monthly_cents_at_least"
        ),
        sa.CheckConstraint(
            "lower_target_cents >= 0", name="ck_goal_projection_lower_target_cents_at_least"
        ),
        sa.CheckConstraint(
            "best_lever IN ('save_more', 'wait_longer', 'want_less', 'take_more_risk')",
            name="ck_goal_projection_best_lever_allowed",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["advice_run.run_id"], name="fk_goal_projection_run_id"
        ),
    )
    op.create_index("ix_goal_projection_goal_id", "goal_projection", ["goal_id"])


def _create_transaction() -> None:
    op.create_table(
        "transaction",
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("trade_id", sa.Text, nullable=True),
        sa.Column("cash_flow_id", sa.Text, nullable=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("quantity_micros", sa.BigInteger, nullable=False),
        sa.Column("price_micros", sa.BigInteger, nullable=True),
        sa.Column("fee_cents", sa.BigInteger, nullable=False),
        sa.Column("cash_cents", sa.BigInteger, nullable=False),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trade_date", sa.Date, nullable=False),
        sa.Column("settlement_date", sa.Date, nullable=True),
        sa.Column("reverses", sa.Text, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name="pk_transaction"),
        sa.CheckConstraint(
            "kind IN ('buy', 'sell', 'deposit', 'withdrawal', 'dividend', 'interest', 'fee', "
            "'tax', 'split', 'transfer_in', 'transfer_out')",
            name="ck_transaction_kind_allowed",
        ),
        sa.CheckConstraint("price_micros >= 1", name="ck_transaction_price_micros_at_least"),
        sa.CheckConstraint("fee_cents >= 0", name="ck_transaction_fee_cents_at_least"),
        sa.ForeignKeyConstraint(["trade_id"], ["trade.trade_id"], name="fk_transaction_trade_id"),
        sa.ForeignKeyConstraint(
            ["reverses"], ["transaction.transaction_id"], name="fk_transaction_reverses"
        ),
        sa.UniqueConstraint("external_id", name="uq_transaction_external_id"),
    )
    op.create_index(
        "ix_transaction_account_id_trade_date", "transaction", ["account_id", "trade_date"]
    )
    op.create_index("ix_transaction_trade_id", "transaction", ["trade_id"])


def _create_tax_lot() -> None:
    op.create_table(
        "tax_lot",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("lot_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("quantity_micros", sa.BigInteger, nullable=False),
        sa.Column("acquired_date", sa.Date, nullable=True),
        sa.Column("holding_period_start_date", sa.Date, nullable=True),
        sa.Column("basis_cents", sa.BigInteger, nullable=True),
        sa.Column("carried_over_loss_cents", sa.BigInteger, nullable=False),
        sa.Column("transaction_id", sa.Text, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "version", "lot_id", name="pk_tax_lot"),
        sa.CheckConstraint("version >= 1", name="ck_tax_lot_version_at_least"),
        sa.CheckConstraint("quantity_micros >= 1", name="ck_tax_lot_quantity_micros_at_least"),
        sa.CheckConstraint("basis_cents >= 0", name="ck_tax_lot_basis_cents_at_least"),
        sa.CheckConstraint(
            "carried_over_loss_cents >= 0", name="ck_tax_lot_carried_over_loss_cents_at_least"
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transaction.transaction_id"], name="fk_tax_lot_transaction_id"
        ),
    )


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("feedback_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("trade_id", sa.Text, nullable=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("rating", sa.BigInteger, nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", name="pk_feedback"),
        sa.CheckConstraint(
            "verdict IN ('accepted', 'declined', 'postponed')", name="ck_feedback_verdict_allowed"
        ),
        sa.CheckConstraint(
            "reason IN ('too_risky', 'too_cautious', 'too_many_trades', 'too_costly', 'tax', "
            "'needs_cash', 'dislikes_instrument', 'not_understood', 'other')",
            name="ck_feedback_reason_allowed",
        ),
        sa.CheckConstraint("rating >= 1", name="ck_feedback_rating_at_least"),
        sa.CheckConstraint("rating <= 5", name="ck_feedback_rating_at_most"),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_feedback_client_id"),
        sa.ForeignKeyConstraint(["run_id"], ["advice_run.run_id"], name="fk_feedback_run_id"),
        sa.ForeignKeyConstraint(["trade_id"], ["trade.trade_id"], name="fk_feedback_trade_id"),
    )
    op.create_index("ix_feedback_client_id", "feedback", ["client_id"])
    op.create_index("ix_feedback_run_id_account_id", "feedback", ["run_id", "account_id"])
