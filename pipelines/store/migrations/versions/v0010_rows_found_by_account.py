"""Find rows of targets and of lots sold by whom they belong to, and orders that were sent at once.

A key of all that tells 26 rows of an account apart was nearly as large as the rows. Whoever writes
them writes the account's outcome, or the trade, in the same transaction, and that has a key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FOUND_BY = {"target_allocation": ["run_id", "account_id"], "trade_lot": ["trade_id"]}


def upgrade() -> None:
    """Drop two keys, rows and all kept, and create the indexes."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, names in _FOUND_BY.items():
        if is_sqlite:
            _rebuild_without_key(table)
        else:
            op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)
    moved = sa.text("status <> 'proposed'")
    op.create_index(
        "ix_trade_run_id_status",
        "trade",
        ["run_id", "status"],
        postgresql_where=moved,
        sqlite_where=moved,
    )


def _rebuild_without_key(table: str) -> None:
    """Make a table anew from its own statement, since SQLite drops no key."""
    found = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    statement = str(op.get_bind().execute(found, {"name": table}).scalar_one())
    before, rest = statement.split(f"CONSTRAINT pk_{table} PRIMARY KEY (", 1)
    after = rest.split(")", 1)[1]
    kept = f"{table}_of_0009"
    op.execute(f"CREATE TABLE {kept} AS SELECT * FROM {table}")
    op.drop_table(table)
    op.execute(before.rstrip().removesuffix(",") + after)
    op.execute(f"INSERT INTO {table} SELECT * FROM {kept}")
    op.drop_table(kept)
