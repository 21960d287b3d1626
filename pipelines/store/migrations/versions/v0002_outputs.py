"""Create the tables of runs, forecasts, allocations, trades and scores."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_advice_run()
    _create_snapshot_file()
    _create_forecast()
    _create_model_choice()
    _create_model_score()
    _create_target_allocation()
    _create_trade()
    _create_trade_reason()
    _create_client_outcome()
    _create_client_issue()
    _create_quarantine()


def _create_advice_run() -> None:
    op.create_table(
        "advice_run",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("session_date", sa.Date, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("data_snapshot", sa.Text, nullable=False),
        sa.Column("feature_hash", sa.Text, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("model_version", sa.BigInteger, nullable=False),
        sa.Column("mlflow_run_id", sa.Text, nullable=False),
        sa.Column("config_hash", sa.Text, nullable=False),
        sa.Column("history_hash", sa.Text, nullable=False),
        sa.Column("code_version", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supersedes", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_advice_run"),
        sa.CheckConstraint(
            "source IN ('sample', 'yahoo', 'files', 'simulated')",
            name="ck_advice_run_source_allowed",
        ),
        sa.CheckConstraint(
            "status IN ('building', 'published', 'superseded')", name="ck_advice_run_status_allowed"
        ),
        sa.CheckConstraint("model_version >= 1", name="ck_advice_run_model_version_at_least"),
        sa.ForeignKeyConstraint(
            ["supersedes"], ["advice_run.run_id"], name="fk_advice_run_supersedes"
        ),
    )
    op.create_index("ix_advice_run_session_date_status", "advice_run", ["session_date", "status"])


def _create_snapshot_file() -> None:
    op.create_table(
        "snapshot_file",
        sa.Column("data_snapshot", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("data_snapshot", "path", name="pk_snapshot_file"),
        sa.CheckConstraint("rows >= 0", name="ck_snapshot_file_rows_at_least"),
    )


def _create_forecast() -> None:
    op.create_table(
        "forecast",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("horizon_sessions", sa.BigInteger, nullable=False),
        sa.Column("model_version", sa.BigInteger, nullable=False),
        sa.Column("mlflow_run_id", sa.Text, nullable=False),
        sa.Column("expected_log_return", sa.Double, nullable=False),
        sa.Column("stdev_log_return", sa.Double, nullable=False),
        sa.Column("lower_log_return", sa.Double, nullable=False),
        sa.Column("upper_log_return", sa.Double, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("serves", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id", "symbol", "model_name", "horizon_sessions", name="pk_forecast"
        ),
        sa.CheckConstraint("horizon_sessions >= 1", name="ck_forecast_horizon_sessions_at_least"),
        sa.CheckConstraint("model_version >= 1", name="ck_forecast_model_version_at_least"),
        sa.CheckConstraint(
            "expected_log_return > -1e308 AND expected_log_return < 1e308",
            name="ck_forecast_expected_log_return_finite",
        ),
        sa.CheckConstraint("stdev_log_return >= 0", name="ck_forecast_stdev_log_return_at_least"),
        sa.CheckConstraint(
            "stdev_log_return > -1e308 AND stdev_log_return < 1e308",
            name="ck_forecast_stdev_log_return_finite",
        ),
        sa.CheckConstraint(
            "lower_log_return > -1e308 AND lower_log_return < 1e308",
            name="ck_forecast_lower_log_return_finite",
        ),
        sa.CheckConstraint(
            "upper_log_return > -1e308 AND upper_log_return < 1e308",
            name="ck_forecast_upper_log_return_finite",
        ),
        sa.CheckConstraint("confidence >= 0", name="ck_forecast_confidence_at_least"),
        sa.CheckConstraint("confidence <= 1", name="ck_forecast_confidence_at_most"),
        sa.CheckConstraint(
            "confidence > -1e308 AND confidence < 1e308", name="ck_forecast_confidence_finite"
        ),
        sa.CheckConstraint(
            sa.column("serves").in_([sa.false(), sa.true()]), name="ck_forecast_serves_boolean"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["advice_run.run_id"], name="fk_forecast_run_id"),
    )


def _create_model_choice() -> None:
    op.create_table(
        "model_choice",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("session_date", sa.Date, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("model_version", sa.BigInteger, nullable=False),
        sa.Column("mlflow_run_id", sa.Text, nullable=False),
        sa.Column("training_run_id", sa.Text, nullable=False),
        sa.Column("fitted_through", sa.Date, nullable=False),
        sa.Column("trained_through", sa.Date, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "session_date", name="pk_model_choice"),
        sa.CheckConstraint(
            "source IN ('sample', 'yahoo', 'files', 'simulated')",
            name="ck_model_choice_source_allowed",
        ),
        sa.CheckConstraint(
            "decision IN ('retrained', 'kept')", name="ck_model_choice_decision_allowed"
        ),
        sa.CheckConstraint("model_version >= 1", name="ck_model_choice_model_version_at_least"),
    )


def _create_model_score() -> None:
    op.create_table(
        "model_score",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("session_date", sa.Date, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("horizon_sessions", sa.BigInteger, nullable=False),
        sa.Column("training_run_id", sa.Text, nullable=False),
        sa.Column("model_version", sa.BigInteger, nullable=False),
        sa.Column("mlflow_run_id", sa.Text, nullable=False),
        sa.Column("test_start", sa.Date, nullable=False),
        sa.Column("test_end", sa.Date, nullable=False),
        sa.Column("forecasts", sa.BigInteger, nullable=False),
        sa.Column("mae", sa.Double, nullable=False),
        sa.Column("rmse", sa.Double, nullable=False),
        sa.Column("mae_to_naive", sa.Double, nullable=False),
        sa.Column("rmse_to_naive", sa.Double, nullable=False),
        sa.Column("r2_out_of_sample", sa.Double, nullable=False),
        sa.Column("coverage_80", sa.Double, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("serves", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "session_date", "model_name", "horizon_sessions", name="pk_model_score"
        ),
        sa.CheckConstraint(
            "source IN ('sample', 'yahoo', 'files', 'simulated')",
            name="ck_model_score_source_allowed",
        ),
        sa.CheckConstraint(
            "horizon_sessions >= 1", name="ck_model_score_horizon_sessions_at_least"
        ),
        sa.CheckConstraint("model_version >= 1", name="ck_model_score_model_version_at_least"),
        sa.CheckConstraint("forecasts >= 1", name="ck_model_score_forecasts_at_least"),
        sa.CheckConstraint("mae >= 0", name="ck_model_score_mae_at_least"),
        sa.CheckConstraint("mae > -1e308 AND mae < 1e308", name="ck_model_score_mae_finite"),
        sa.CheckConstraint("rmse >= 0", name="ck_model_score_rmse_at_least"),
        sa.CheckConstraint("rmse > -1e308 AND rmse < 1e308", name="ck_model_score_rmse_finite"),
        sa.CheckConstraint("mae_to_naive >= 0", name="ck_model_score_mae_to_naive_at_least"),
        sa.CheckConstraint(
            "mae_to_naive > -1e308 AND mae_to_naive < 1e308",
            name="ck_model_score_mae_to_naive_finite",
        ),
        sa.CheckConstraint("rmse_to_naive >= 0", name="ck_model_score_rmse_to_naive_at_least"),
        sa.CheckConstraint(
            "rmse_to_naive > -1e308 AND rmse_to_naive < 1e308",
            name="ck_model_score_rmse_to_naive_finite",
        ),
        sa.CheckConstraint(
            "r2_out_of_sample > -1e308 AND r2_out_of_sample < 1e308",
            name="ck_model_score_r2_out_of_sample_finite",
        ),
        sa.CheckConstraint("coverage_80 >= 0", name="ck_model_score_coverage_80_at_least"),
        sa.CheckConstraint("coverage_80 <= 1", name="ck_model_score_coverage_80_at_most"),
        sa.CheckConstraint(
            "coverage_80 > -1e308 AND coverage_80 < 1e308", name="ck_model_score_coverage_80_finite"
        ),
        sa.CheckConstraint("confidence >= 0", name="ck_model_score_confidence_at_least"),
        sa.CheckConstraint("confidence <= 1", name="ck_model_score_confidence_at_most"),
        sa.CheckConstraint(
            "confidence > -1e308 AND confidence < 1e308", name="ck_model_score_confidence_finite"
        ),
        sa.CheckConstraint(
            sa.column("serves").in_([sa.false(), sa.true()]), name="ck_model_score_serves_boolean"
        ),
    )


def _create_target_allocation() -> None:
    op.create_table(
        "target_allocation",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("current_weight", sa.Double, nullable=False),
        sa.Column("lower_bound", sa.Double, nullable=False),
        sa.Column("upper_bound", sa.Double, nullable=False),
        sa.Column("bound_binds", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "account_id", "symbol", name="pk_target_allocation"),
        sa.CheckConstraint("weight >= 0", name="ck_target_allocation_weight_at_least"),
        sa.CheckConstraint("weight <= 1", name="ck_target_allocation_weight_at_most"),
        sa.CheckConstraint(
            "weight > -1e308 AND weight < 1e308", name="ck_target_allocation_weight_finite"
        ),
        sa.CheckConstraint(
            "current_weight > -1e308 AND current_weight < 1e308",
            name="ck_target_allocation_current_weight_finite",
        ),
        sa.CheckConstraint(
            "lower_bound > -1e308 AND lower_bound < 1e308",
            name="ck_target_allocation_lower_bound_finite",
        ),
        sa.CheckConstraint(
            "upper_bound > -1e308 AND upper_bound < 1e308",
            name="ck_target_allocation_upper_bound_finite",
        ),
        sa.CheckConstraint(
            sa.column("bound_binds").in_([sa.false(), sa.true()]),
            name="ck_target_allocation_bound_binds_boolean",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["advice_run.run_id"], name="fk_target_allocation_run_id"
        ),
    )
    op.create_index("ix_target_allocation_account_id", "target_allocation", ["account_id"])


def _create_trade() -> None:
    op.create_table(
        "trade",
        sa.Column("trade_id", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("quantity_micros", sa.BigInteger, nullable=False),
        sa.Column("price_micros", sa.BigInteger, nullable=False),
        sa.Column("notional_cents", sa.BigInteger, nullable=False),
        sa.Column("fee_cents", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("valid_until", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("trade_id", name="pk_trade"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name="ck_trade_side_allowed"),
        sa.CheckConstraint("quantity_micros >= 1", name="ck_trade_quantity_micros_at_least"),
        sa.CheckConstraint("price_micros >= 1", name="ck_trade_price_micros_at_least"),
        sa.CheckConstraint("notional_cents >= 0", name="ck_trade_notional_cents_at_least"),
        sa.CheckConstraint("fee_cents >= 0", name="ck_trade_fee_cents_at_least"),
        sa.CheckConstraint("sequence >= 1", name="ck_trade_sequence_at_least"),
        sa.CheckConstraint(
            "status IN ('proposed', 'sent', 'partly_filled', 'filled', 'expired', 'cancelled')",
            name="ck_trade_status_allowed",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["advice_run.run_id"], name="fk_trade_run_id"),
    )
    op.create_index("ix_trade_run_id_account_id", "trade", ["run_id", "account_id"])


def _create_trade_reason() -> None:
    op.create_table(
        "trade_reason",
        sa.Column("trade_id", sa.Text, nullable=False),
        sa.Column("drift_micros", sa.BigInteger, nullable=False),
        sa.Column("cash_flow_micros", sa.BigInteger, nullable=False),
        sa.Column("profile_micros", sa.BigInteger, nullable=False),
        sa.Column("constraints_micros", sa.BigInteger, nullable=False),
        sa.Column("risk_model_micros", sa.BigInteger, nullable=False),
        sa.Column("forecast_micros", sa.BigInteger, nullable=False),
        sa.Column("cost_micros", sa.BigInteger, nullable=False),
        sa.Column("tax_micros", sa.BigInteger, nullable=False),
        sa.Column("rounding_micros", sa.BigInteger, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("trade_id", name="pk_trade_reason"),
        sa.ForeignKeyConstraint(["trade_id"], ["trade.trade_id"], name="fk_trade_reason_trade_id"),
    )


def _create_client_outcome() -> None:
    op.create_table(
        "client_outcome",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("allocation_run_id", sa.Text, nullable=True),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("risk_score", sa.BigInteger, nullable=True),
        sa.Column("drift", sa.Double, nullable=True),
        sa.Column("objective", sa.Double, nullable=True),
        sa.Column("kkt_residual", sa.Double, nullable=True),
        sa.Column("solver", sa.Text, nullable=True),
        sa.Column("relaxed_constraints", sa.Text, nullable=True),
        sa.Column("wealth_cents", sa.BigInteger, nullable=True),
        sa.Column("cash_before_cents", sa.BigInteger, nullable=False),
        sa.Column("sells_cents", sa.BigInteger, nullable=False),
        sa.Column("buys_cents", sa.BigInteger, nullable=False),
        sa.Column("fees_cents", sa.BigInteger, nullable=False),
        sa.Column("cash_after_cents", sa.BigInteger, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "account_id", name="pk_client_outcome"),
        sa.CheckConstraint(
            "outcome IN ('rebalanced', 'within_band', 'relaxed', 'held', 'blocked', 'failed')",
            name="ck_client_outcome_outcome_allowed",
        ),
        sa.CheckConstraint(
            "\"trigger\" IN ('first_advice', 'drift', 'profile_change', 'none')",
            name="ck_client_outcome_trigger_allowed",
        ),
        sa.CheckConstraint("risk_score >= 1", name="ck_client_outcome_risk_score_at_least"),
        sa.CheckConstraint("risk_score <= 100", name="ck_client_outcome_risk_score_at_most"),
        sa.CheckConstraint("drift >= 0", name="ck_client_outcome_drift_at_least"),
        sa.CheckConstraint(
            "drift > -1e308 AND drift < 1e308", name="ck_client_outcome_drift_finite"
        ),
        sa.CheckConstraint(
            "objective > -1e308 AND objective < 1e308", name="ck_client_outcome_objective_finite"
        ),
        sa.CheckConstraint("kkt_residual >= 0", name="ck_client_outcome_kkt_residual_at_least"),
        sa.CheckConstraint(
            "kkt_residual > -1e308 AND kkt_residual < 1e308",
            name="ck_client_outcome_kkt_residual_finite",
        ),
        sa.CheckConstraint("sells_cents >= 0", name="ck_client_outcome_sells_cents_at_least"),
        sa.CheckConstraint("buys_cents >= 0", name="ck_client_outcome_buys_cents_at_least"),
        sa.CheckConstraint("fees_cents >= 0", name="ck_client_outcome_fees_cents_at_least"),
        sa.ForeignKeyConstraint(["run_id"], ["advice_run.run_id"], name="fk_client_outcome_run_id"),
    )
    op.create_index("ix_client_outcome_account_id", "client_outcome", ["account_id"])


def _create_client_issue() -> None:
    op.create_table(
        "client_issue",
        sa.Column("issue_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=True),
        sa.Column("file_digest", sa.Text, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issue_id", name="pk_client_issue"),
        sa.CheckConstraint("line >= 1", name="ck_client_issue_line_at_least"),
    )


def _create_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("session_date", sa.Date, nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("observed_value", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "symbol", "session_date", "known_at", "rule", name="pk_quarantine"
        ),
        sa.CheckConstraint(
            "source IN ('sample', 'yahoo', 'files', 'simulated')",
            name="ck_quarantine_source_allowed",
        ),
    )
