"""Let instruments be of the classes that a universe of funds needs, and of none."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHECK = "ck_instrument_asset_class_allowed"
_BEFORE = (
    "asset_class IN ('technology', 'financials', 'health_care', 'consumer', 'energy', "
    "'industrials', 'factor', 'index')"
)
_AFTER = (
    "asset_class IN ('technology', 'financials', 'health_care', 'consumer', 'energy', "
    "'industrials', 'factor', 'index', 'us_equity', 'international_equity', 'bond', "
    "'inflation_linked', 'real_estate', 'commodity', 'volatility', 'unclassified')"
)


def upgrade() -> None:
    """Replace the check of the classes; SQLite needs the whole table anew, rows and all."""
    with op.batch_alter_table("instrument", copy_from=_instrument()) as batch:
        batch.drop_constraint(_CHECK, type_="check")
        batch.create_check_constraint(_CHECK, sa.text(_AFTER))


def _instrument() -> sa.Table:
    """Return the table as migration 0001 left it: SQLite does not tell its checks."""
    return sa.Table(
        "instrument",
        sa.MetaData(),
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
        sa.CheckConstraint(_BEFORE, name=_CHECK),
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
