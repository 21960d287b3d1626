"""A client's records as rows of the store, without their version."""

import uuid
from dataclasses import asdict
from typing import Any

from models.vocabulary import CASH, MICROS_PER_CENT, CashFlowStatus, PreferenceKind
from pipelines.clients.records import Account, Client, Goal

Row = dict[str, Any]
ANY_SYMBOL = "*"


def goal_id(client_id: str, number: int) -> str:
    """Return the goal's surrogate key, a function of the client's and of nothing personal."""
    return str(uuid.uuid5(uuid.UUID(client_id), f"goal/{number}"))


def account_id(client_id: str, number: int) -> str:
    """Return the account's surrogate key, a function of the client's and of nothing personal."""
    return str(uuid.uuid5(uuid.UUID(client_id), f"account/{number}"))


def identity_row(client_id: str, client: Client) -> Row:
    """Return the row of ``client_identity``."""
    return {"client_id": client_id, **asdict(client.identity)}


def risk_profile_row(client_id: str, client: Client) -> Row:
    """Return the row of ``risk_profile``."""
    return {"client_id": client_id, **asdict(client.questionnaire)}


def preference_rows(client_id: str, client: Client) -> list[Row]:
    """Return the rows of ``preference``: the cap, always, and one for each exclusion.

    The cap is there even where it is 1 and binds nothing: a version must have a row, or the last
    wish could never be taken back.
    """
    cap = client.preferences.max_symbol_weight
    wishes: list[tuple[PreferenceKind, str, float | None]] = [
        (PreferenceKind.MAX_SYMBOL_WEIGHT, ANY_SYMBOL, cap)
    ]
    wishes += [(kind, subject, None) for kind, subject in client.preferences.exclusions]
    return [
        {"client_id": client_id, "kind": kind, "subject": subject, "limit_weight": limit}
        for kind, subject, limit in wishes
    ]


def goal_row(client_id: str, goal: Goal) -> Row:
    """Return the row of ``goal``."""
    return {
        "goal_id": goal_id(client_id, goal.number),
        "client_id": client_id,
        "kind": goal.kind,
        "target_cents": goal.target_cents,
        "target_date": goal.target_date,
        "priority": goal.priority,
    }


def account_row(client_id: str, account: Account) -> Row:
    """Return the row of ``account``."""
    return {
        "account_id": account_id(client_id, account.number),
        "client_id": client_id,
        "goal_id": goal_id(client_id, account.goal_number),
        "tax_kind": account.tax_kind,
        "share_kind": account.share_kind,
        "cash_buffer_cents": account.cash_buffer_cents,
    }


def holding_rows(client_id: str, account: Account) -> list[Row]:
    """Return the rows of ``holding``, cash last and always there."""
    cash = (CASH, account.cash_cents * MICROS_PER_CENT)
    return [
        {
            "account_id": account_id(client_id, account.number),
            "symbol": symbol,
            "quantity_micros": micros,
        }
        for symbol, micros in (*account.holdings, cash)
    ]


def lot_rows(client_id: str, account: Account) -> list[Row]:
    """Return the rows of ``tax_lot``."""
    return [
        {
            "account_id": account_id(client_id, account.number),
            "lot_id": str(uuid.uuid5(uuid.UUID(client_id), f"lot/{account.number}/{number}")),
            "symbol": lot.symbol,
            "quantity_micros": lot.quantity_micros,
            "acquired_date": lot.acquired_date,
            "holding_period_start_date": lot.acquired_date,
            "basis_cents": lot.basis_cents,
            "carried_over_loss_cents": 0,
            "transaction_id": None,
        }
        for number, lot in enumerate(account.lots, start=1)
    ]


def cash_flow_rows(client_id: str, account: Account) -> list[Row]:
    """Return the rows of ``cash_flow``."""
    return [
        {
            "cash_flow_id": str(
                uuid.uuid5(uuid.UUID(client_id), f"cash flow/{account.number}/{number}")
            ),
            "account_id": account_id(client_id, account.number),
            "status": CashFlowStatus.PLANNED,
            **asdict(flow),
        }
        for number, flow in enumerate(account.cash_flows, start=1)
    ]
