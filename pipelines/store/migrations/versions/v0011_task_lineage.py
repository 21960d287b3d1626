"""Keep which task, run by which code on which machine, made an advice run, and from what."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SOURCES = ("sample", "yahoo", "files", "simulated")
_STATES = ("running", "success", "failed", "up_for_retry", "skipped")


def upgrade() -> None:
    """Create the table and its indexes."""
    op.create_table(
        "task_lineage",
        sa.Column("dag_id", sa.Text, nullable=False),
        sa.Column("dag_run_id", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("map_index", sa.BigInteger, nullable=False),
        sa.Column("try_number", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("session_date", sa.Date, nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("advice_run_id", sa.Text, nullable=True),
        sa.Column("inlets", sa.Text, nullable=False),
        sa.Column("outlets", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("code_version", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "dag_id",
            "dag_run_id",
            "task_id",
            "map_index",
            "try_number",
            name="pk_task_lineage",
        ),
        sa.CheckConstraint("map_index >= -1", name="ck_task_lineage_map_index_at_least"),
        sa.CheckConstraint("try_number >= 0", name="ck_task_lineage_try_number_at_least"),
        sa.CheckConstraint(_one_of("source", _SOURCES), name="ck_task_lineage_source_allowed"),
        sa.CheckConstraint(_one_of("state", _STATES), name="ck_task_lineage_state_allowed"),
    )
    op.create_index(
        "ix_task_lineage_session_date_dag_id", "task_lineage", ["session_date", "dag_id"]
    )
    op.create_index("ix_task_lineage_advice_run_id", "task_lineage", ["advice_run_id"])


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"
