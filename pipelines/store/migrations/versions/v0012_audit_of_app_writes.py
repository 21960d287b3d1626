"""Keep what apps write into the store, in rows that nobody changes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NO_CHANGE = """
    CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        RAISE EXCEPTION 'audit_entry is append-only'
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Partition or archive it as the owner, and keep what was archived.';
    END
    $body$
"""
_TRIGGER = """
    CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()
"""


def upgrade() -> None:
    """Create the table; on PostgreSQL it numbers its rows itself and refuses any change."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    numbered = (sa.Identity(always=True),) if is_postgresql else ()
    op.create_table(
        "audit_entry",
        sa.Column(
            "entry_id", sa.BigInteger, *numbered, nullable=False, autoincrement=is_postgresql
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Text, nullable=False),
        sa.Column("client_address", sa.Text, nullable=True),
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("table_name", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("row_key", sa.Text, nullable=False),
        sa.Column("changed_columns", sa.Text, nullable=False),
        sa.Column("old_row", sa.Text, nullable=True),
        sa.Column("new_row", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name="pk_audit_entry"),
        sa.CheckConstraint("entry_id >= 1", name="ck_audit_entry_entry_id_at_least"),
        sa.CheckConstraint(
            "action IN ('insert', 'update', 'delete')", name="ck_audit_entry_action_allowed"
        ),
    )
    op.create_index(
        "ix_audit_entry_table_name_written_at", "audit_entry", ["table_name", "written_at"]
    )
    if is_postgresql:
        op.execute(_NO_CHANGE)
        op.execute(_TRIGGER)
