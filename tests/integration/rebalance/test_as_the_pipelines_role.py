"""A run is made and published by a role without rights over the server, and seen by the others."""

import shutil
from pathlib import Path

import pytest
from psycopg import errors
from rebalance_runs import make_run
from store_roles import make_roles_store
from warehouse_inputs import SESSION

from pipelines.rebalance import rebalance


def test_the_pipelines_role_publishes_and_apps_and_analysts_see_it(
    built_home: Path, tmp_path: Path, postgresql_server: str
) -> None:
    shutil.copytree(built_home, tmp_path / "home", symlinks=True)
    store = make_roles_store(postgresql_server, "roles_of_run", tmp_path / "home")
    report = rebalance(make_run(store.settings), SESSION)
    for role in ("app", "analyst"):
        with store.connect(role) as connection:
            assert connection.execute(
                "SELECT count(*) FROM current_outcome WHERE run_id = %s", [report.run_id]
            ).fetchone() != (0,)
            assert connection.execute("SELECT count(*) FROM current_trade").fetchone() != (0,)
    with store.connect("app") as app:
        sent = app.execute(
            "UPDATE trade SET status = 'sent' WHERE trade_id = "
            "(SELECT min(trade_id) FROM current_trade)"
        )
        assert sent.rowcount == 1
    with store.connect("analyst") as analyst, pytest.raises(errors.InsufficientPrivilege):
        analyst.execute("SELECT full_name FROM client_identity")
