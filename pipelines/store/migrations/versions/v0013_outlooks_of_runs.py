"""Keep what a run estimated of the market, for all machines that advise its accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "run_outlook",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("outlook", sa.Text, nullable=False),
        sa.Column("estimated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_outlook"),
        sa.ForeignKeyConstraint(["run_id"], ["advice_run.run_id"], name="fk_run_outlook_run_id"),
    )
