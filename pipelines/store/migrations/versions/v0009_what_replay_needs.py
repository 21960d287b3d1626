"""Keep what a run saw and what changes later: orders at the broker, and errors on validation."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_CURRENT_FORECAST = """
    SELECT forecast.* FROM forecast WHERE forecast.run_id = (
        SELECT run_id FROM advice_run WHERE status = 'published'
        ORDER BY session_date DESC, published_at DESC LIMIT 1
    )
"""

_ERRORS_AS_KNOWN_NOW = """
    UPDATE forecast SET validation_rmse = (
        SELECT min(score.rmse) FROM model_score AS score
        WHERE score.mlflow_run_id = forecast.mlflow_run_id
            AND score.model_name = forecast.model_name
            AND score.horizon_sessions = forecast.horizon_sessions
            AND score.period = 'validation'
    )
"""


def upgrade() -> None:
    """Create the table, add the column, and make the view that shows it anew."""
    op.create_table(
        "open_order",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("trade_id", sa.Text, nullable=False),
        sa.Column("left_micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "account_id", "trade_id", name="pk_open_order"),
    )
    op.execute("DROP VIEW current_forecast")
    double = sa.Double().compile(op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE forecast ADD COLUMN validation_rmse {double} "
        "CONSTRAINT ck_forecast_validation_rmse_at_least CHECK (validation_rmse >= 0) "
        "CONSTRAINT ck_forecast_validation_rmse_finite "
        "CHECK (validation_rmse > -1e308 AND validation_rmse < 1e308)"
    )
    op.execute(_ERRORS_AS_KNOWN_NOW)
    op.execute(f"CREATE VIEW current_forecast AS {_CURRENT_FORECAST}")
