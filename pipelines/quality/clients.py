"""Judge the snapshot of client inputs: who breaks a rule is left out, on record, and nobody else.

An import checks far more, line by line; this is the gate for whatever else wrote the store.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.clients import CLIENT_SUITES, OWNER_IS_KNOWN, PLAUSIBLE
from expectations.rules import Rule
from models.declaration import Table
from models.store_inputs import ACCOUNT, CLIENT, HOLDING, SNAPSHOT
from models.store_issues import CLIENT_ISSUE
from models.store_ledger import CASH_FLOW, TRANSACTION
from models.vocabulary import CashFlowStatus
from pipelines.lineage import json_digest
from pipelines.quality.judging import Batch, failing
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.store.writing import Row

logger = logging.getLogger(__name__)

FROM_STORE = "store"
"""Stands for the digest of a file in the issues of rows that are in the store already."""

Inputs = dict[str, pa.Table]
_CORRECT = (
    "Correct the client's rows in the store (reverse what was booked), or import the client again."
)


def accepted_clients(settings: Settings, inputs: Inputs, *, are_current: bool = True) -> Inputs:
    """Return the inputs without the clients of whom a row fails its suite.

    Their ids stand in ``client_issue`` with the reason, until their rows pass. A row whose account
    or client is unknown is left out alone and stands there without a client.

    Parameters
    ----------
    inputs : the rows of every table of ``SNAPSHOT``, by its name.
    are_current : whether they are those of today; what was wrong once is left out, not on record.

    Raises
    ------
    StoreError
        The store cannot be written.
    """
    clients = _Owners(inputs)
    issues: list[Row] = []
    owned: Inputs = {}
    for table in SNAPSHOT:
        rows = inputs[table.name]
        strangers = failing(OWNER_IS_KNOWN, Batch.of(rows, owner=clients.numbers(rows)))
        if len(strangers):
            issues.append(_issue(table, None, OWNER_IS_KNOWN))
            rows = rows.take(np.setdiff1d(np.arange(rows.num_rows), strangers))
        owned[table.name] = rows
        issues += _issues(table, rows, clients)
    if are_current:
        _record(settings, issues)
    bad = {issue["client_id"] for issue in issues} - {None}
    if bad:
        logger.warning(
            "%d clients are left out%s: their inputs are wrong",
            len(bad),
            ", see client_issue" if are_current else "",
        )
    return {table.name: clients.without(owned[table.name], bad) for table in SNAPSHOT}


class _Owners:
    """Says whose each row is, by its client or by its account's."""

    def __init__(self, inputs: Inputs) -> None:
        self._clients = inputs[CLIENT.name]["client_id"].to_pylist()
        self._number = {client: number for number, client in enumerate(self._clients)}
        accounts = (inputs[ACCOUNT.name][name].to_pylist() for name in ("account_id", "client_id"))
        self._of_account = dict(zip(*accounts, strict=True))

    def numbers(self, rows: pa.Table) -> np.ndarray:
        """Return the number of each row's client, NaN where it is unknown."""
        if "client_id" in rows.column_names:
            ids = rows["client_id"].to_pylist()
        else:
            ids = [self._of_account.get(account) for account in rows["account_id"].to_pylist()]
        return np.array([self._number.get(one, np.nan) for one in ids], dtype=np.float64)

    def names(self, rows: pa.Table) -> list[str]:
        """Return the client of each row; every one must be known."""
        return [self._clients[int(number)] for number in self.numbers(rows)]

    def without(self, rows: pa.Table, bad: set[str]) -> pa.Table:
        """Return the rows of all clients but some."""
        if not bad:
            return rows
        return rows.filter(pa.array([one not in bad for one in self.names(rows)], pa.bool_()))


def _issues(table: Table, rows: pa.Table, clients: _Owners) -> Iterable["Row"]:
    """Yield what is wrong, once per client and rule, and never a value: it may be personal."""
    batch, plausible = Batch.of(rows), PLAUSIBLE[table.name]
    for rule in (*CLIENT_SUITES[table.name], *plausible):
        positions = failing(rule, batch)
        if len(positions) and rule in plausible.rules:
            positions = positions[_is_in_force(table, rows)[positions]]
        if len(positions):
            for client in sorted(set(clients.names(rows.take(positions)))):
                yield _issue(table, client, rule)


def _is_in_force(table: Table, rows: pa.Table) -> np.ndarray:
    """Say which rows still count: newest holdings, planned flows, what is booked for good."""
    if table.name == HOLDING.name:
        account = rows["account_id"].combine_chunks().dictionary_encode().indices.to_numpy()
        version = rows["version"].to_numpy()
        newest = np.zeros(len(rows), dtype=np.int64)
        np.maximum.at(newest, account, version)
        return version == newest[account]
    if table.name == CASH_FLOW.name:
        return pc.equal(rows["status"], CashFlowStatus.PLANNED.value).to_numpy()
    if table.name == TRANSACTION.name:  # its copy lacks a column
        is_reversed = pc.is_in(rows["transaction_id"], value_set=rows["reverses"].combine_chunks())
        return pc.and_(pc.is_null(rows["reverses"]), pc.invert(is_reversed)).to_numpy()
    return np.ones(len(rows), dtype=np.bool_)


def _issue(table: Table, client: str | None, rule: Rule) -> "Row":
    return {
        "issue_id": json_digest([FROM_STORE, table.name, client, rule.name]),
        "client_id": client,
        "file_digest": FROM_STORE,
        "line": 1,
        "field": f"{table.name}.{rule.name}",
        "cause": rule.reason,
        "remedy": rule.remedy if rule is OWNER_IS_KNOWN else _CORRECT,
    }


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
