"""Remember what sells closed of tax lots, and which losses wash sales took away."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "lot_sale",
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("lot_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("sold_date", sa.Date, nullable=False),
        sa.Column("quantity_micros", sa.BigInteger, nullable=False),
        sa.Column("proceeds_cents", sa.BigInteger, nullable=False),
        sa.Column("basis_cents", sa.BigInteger, nullable=True),
        sa.Column("holding_period_start_date", sa.Date, nullable=True),
        *_recorded(),
        sa.PrimaryKeyConstraint("transaction_id", "lot_id", name="pk_lot_sale"),
        sa.CheckConstraint("quantity_micros >= 1", name="ck_lot_sale_quantity_micros_at_least"),
        sa.CheckConstraint("basis_cents >= 0", name="ck_lot_sale_basis_cents_at_least"),
        _of_transaction("lot_sale"),
    )
    op.create_index("ix_lot_sale_account_id_sold_date", "lot_sale", ["account_id", "sold_date"])
    op.create_table(
        "wash_sale",
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("lot_id", sa.Text, nullable=False),
        sa.Column("replacement_lot_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("replacement_account_id", sa.Text, nullable=False),
        sa.Column("quantity_micros", sa.BigInteger, nullable=False),
        sa.Column("disallowed_cents", sa.BigInteger, nullable=False),
        sa.Column("is_forfeited", sa.Boolean, nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint(
            "transaction_id", "lot_id", "replacement_lot_id", name="pk_wash_sale"
        ),
        sa.CheckConstraint("quantity_micros >= 1", name="ck_wash_sale_quantity_micros_at_least"),
        sa.CheckConstraint("disallowed_cents >= 1", name="ck_wash_sale_disallowed_cents_at_least"),
        sa.CheckConstraint(
            sa.column("is_forfeited").in_([sa.false(), sa.true()]),
            name="ck_wash_sale_is_forfeited_boolean",
        ),
        _of_transaction("wash_sale"),
    )
    for column in ("account_id", "replacement_account_id"):
        op.create_index(f"ix_wash_sale_{column}", "wash_sale", [column])


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
    ]


def _of_transaction(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["transaction_id"], ["transaction.transaction_id"], name=f"fk_{table}_transaction_id"
    )
