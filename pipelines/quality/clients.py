"""Judge the snapshot of client inputs: who breaks a rule is left out, on record, and nobody else.

An import checks far more, line by line; this is the gate for whatever else wrote the store.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from expectations.clients import CLIENT_SUITES
from models.declaration import Table
from models.store_inputs import ACCOUNT, SNAPSHOT
from models.store_outputs import CLIENT_ISSUE
from pipelines.lineage import json_digest
from pipelines.quality.judging import Batch, failing
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.store.writing import Row

logger = logging.getLogger(__name__)

FROM_STORE = "store"
"""Stands for the digest of a file in the issues of rows that are in the store already."""

Inputs = dict[str, pa.Table]


def accepted_clients(settings: Settings, inputs: Inputs) -> Inputs:
    """Return the inputs without the clients of whom a row fails its suite.

    Their ids stand in ``client_issue`` with the reason, until their rows pass.

    Parameters
    ----------
    inputs : the rows of every table of ``SNAPSHOT``, by its name.

    Raises
    ------
    StoreError
        The store cannot be written.
    """
    owner = _owner_of_accounts(inputs[ACCOUNT.name])
    issues = [one for table in SNAPSHOT for one in _issues(table, inputs[table.name], owner)]
    _record(settings, issues)
    if not issues:
        return inputs
    bad = {issue["client_id"] for issue in issues}
    logger.warning("%d clients are left out, see client_issue: their inputs are wrong", len(bad))
    return {table.name: _without(inputs[table.name], bad, owner) for table in SNAPSHOT}


def _owner_of_accounts(accounts: pa.Table) -> dict[str, str]:
    return dict(zip(*(accounts[n].to_pylist() for n in ("account_id", "client_id")), strict=True))


def _clients_of(rows: pa.Table, owner: dict[str, str]) -> list[str]:
    if "client_id" in rows.column_names:
        ids: list[str] = rows["client_id"].to_pylist()
        return ids
    return [owner.get(account, "") for account in rows["account_id"].to_pylist()]


def _issues(table: Table, rows: pa.Table, owner: dict[str, str]) -> Iterable["Row"]:
    """Yield what is wrong, once per client and rule, and never a value: it may be personal."""
    batch = Batch.of(rows)
    for rule in CLIENT_SUITES[table.name]:
        positions = failing(rule, batch)
        for client in sorted(set(_clients_of(rows.take(positions), owner))):
            yield {
                "issue_id": json_digest([FROM_STORE, table.name, client, rule.name]),
                "client_id": client,
                "file_digest": FROM_STORE,
                "line": 1,
                "field": f"{table.name}.{rule.name}",
                "cause": rule.reason,
                "remedy": "Correct the client's rows in the store, or import the client again.",
            }


def _without(rows: pa.Table, bad: set[str], owner: dict[str, str]) -> pa.Table:
    return rows.filter(pa.array([one not in bad for one in _clients_of(rows, owner)], pa.bool_()))


def _record(settings: Settings, issues: list["Row"]) -> None:
    """Let the store say what stands now: what was put right is no issue any more."""
    from pipelines.store import connect, insert, read, tables, transaction, utc_now

    of_store = tables[CLIENT_ISSUE.name].c.file_digest == FROM_STORE
    with connect(settings) as connection:
        stored = read(connection, CLIENT_ISSUE, of_store).to_pylist()
    since = {row["issue_id"]: row["since"] for row in stored}
    if since.keys() == {issue["issue_id"] for issue in issues}:
        return
    with transaction(settings) as connection:
        now = utc_now()
        connection.execute(tables[CLIENT_ISSUE.name].delete().where(of_store))
        rows = [{**issue, "since": since.get(issue["issue_id"], now)} for issue in issues]
        insert(connection, CLIENT_ISSUE, rows)
