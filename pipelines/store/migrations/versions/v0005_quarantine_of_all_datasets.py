"""Let the quarantine hold rows of every dataset, not of prices alone."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table anew, since its key changes on both databases; its rows were prices."""
    table = sa.table("quarantine", *(sa.column(name, kind) for name, kind in _KEPT.items()))
    rows = [dict(row) for row in op.get_bind().execute(sa.select(table)).mappings()]
    op.drop_table("quarantine")
    made = _create()
    if rows:
        op.bulk_insert(made, [{**row, "dataset": "prices", "detail": ""} for row in rows])


_KEPT: dict[str, Any] = {
    "source": sa.Text,
    "symbol": sa.Text,
    "session_date": sa.Date,
    "known_at": _MOMENT,
    "rule": sa.Text,
    "observed_value": sa.Text,
    "reason": sa.Text,
    "remedy": sa.Text,
    "since": _MOMENT,
}


def _create() -> sa.Table:
    return op.create_table(
        "quarantine",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("session_date", sa.Date, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("known_at", _MOMENT, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("observed_value", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "source",
            "dataset",
            "symbol",
            "session_date",
            "detail",
            "known_at",
            "rule",
            name="pk_quarantine",
        ),
        sa.CheckConstraint(
            "source IN ('sample', 'yahoo', 'files', 'simulated')",
            name="ck_quarantine_source_allowed",
        ),
    )
