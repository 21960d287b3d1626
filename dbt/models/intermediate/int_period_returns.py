"""Solve the returns of every account, goal and client; the mart ``performance`` describes them."""


def model(dbt, session):  # noqa: ARG001 - dbt's signature
    """Hand the worth series to the solver; see ``pipelines.warehouse.returns``."""
    from pipelines.warehouse.performance import performance

    worth = dbt.ref("int_worth").order("owner_kind, owner_id, session_date")
    return performance(worth.to_arrow_table(), dbt.ref("int_return_periods").to_arrow_table())
