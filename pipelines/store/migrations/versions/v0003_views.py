"""Create the views that apps read: the newest session's published run, and nothing unfinished."""

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
    """Create the views."""
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
