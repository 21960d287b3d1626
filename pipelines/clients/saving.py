"""Writing clients to the store: new ones whole, known ones where something changed."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from models.store_inputs import (
    ACCOUNT,
    CLIENT,
    CLIENT_IDENTITY,
    GOAL,
    HOLDING,
    PREFERENCE,
    RISK_PROFILE,
)
from models.store_ledger import CASH_FLOW, TAX_LOT
from pipelines.clients.records import Client
from pipelines.clients.rows import (
    Row,
    account_row,
    cash_flow_rows,
    goal_row,
    holding_rows,
    identity_row,
    lot_rows,
    preference_rows,
    risk_profile_row,
)
from pipelines.clients.versions import Recording, record_changes, select_by
from pipelines.store import insert, tables, upsert


@dataclass(frozen=True)
class Saved:
    """How many clients were new, were known and changed, and were known and stay as they are."""

    added: int
    changed: int
    unchanged: int


def save_clients(
    connection: sa.Connection, clients: Mapping[str, Client], recording: Recording
) -> Saved:
    """Write the clients, by surrogate key, and say how many were touched.

    Goals and accounts that a client has in the store but not here stay as they are.
    """
    known = {
        row["client_id"]: row
        for row in select_by(connection, tables[CLIENT_IDENTITY.name].c.client_id, clients)
    }
    added = clients.keys() - known.keys()
    _write_identities(connection, clients, known, recording)
    touched = set(_write_versioned(connection, clients, recording))
    touched |= _with_new_identity(clients, known)
    changed = touched & known.keys()
    return Saved(len(added), len(changed), len(known) - len(changed))


def _write_identities(
    connection: sa.Connection,
    clients: Mapping[str, Client],
    known: Mapping[str, Row],
    recording: Recording,
) -> None:
    added = [client_id for client_id in clients if client_id not in known]
    insert(connection, CLIENT, ({"client_id": key, **recording.columns} for key in added))
    different = (*added, *sorted(_with_new_identity(clients, known)))
    # Not versioned: a former name is personal data that nothing needs any more.
    upsert(
        connection,
        CLIENT_IDENTITY,
        ({**identity_row(key, clients[key]), **recording.columns} for key in different),
    )


def _with_new_identity(clients: Mapping[str, Client], known: Mapping[str, Row]) -> set[str]:
    return {
        key
        for key, stored in known.items()
        if not identity_row(key, clients[key]).items() <= stored.items()
    }


def _write_versioned(
    connection: sa.Connection, clients: Mapping[str, Client], recording: Recording
) -> set[str]:
    """Write all versioned tables; return the clients of which something changed."""
    profiles = [risk_profile_row(key, client) for key, client in clients.items()]
    preferences = [row for key, client in clients.items() for row in preference_rows(key, client)]
    goals = [goal_row(key, goal) for key, client in clients.items() for goal in client.goals]
    owned = [(key, account) for key, client in clients.items() for account in client.accounts]
    accounts = [account_row(key, account) for key, account in owned]
    flows = [row for key, account in owned for row in cash_flow_rows(key, account)]
    client_of = {row["goal_id"]: row["client_id"] for row in goals}
    client_of |= {row["account_id"]: row["client_id"] for row in accounts}
    client_of |= {row["cash_flow_id"]: client_of[row["account_id"]] for row in flows}
    changed: set[str] = set()
    for table, rows in (
        (RISK_PROFILE, profiles),
        (PREFERENCE, preferences),
        (GOAL, goals),
        (ACCOUNT, accounts),
        (HOLDING, [row for key, account in owned for row in holding_rows(key, account)]),
        (TAX_LOT, [row for key, account in owned for row in lot_rows(key, account)]),
        (CASH_FLOW, flows),
    ):
        owners = record_changes(connection, table, rows, recording)
        changed |= {client_of.get(owner, owner) for owner in owners}
    return changed
