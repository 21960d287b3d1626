"""Which accounts of which run a key asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.errors import ExplainError
from pipelines.explain.facts import Run
from pipelines.store import tables

_WHERE_KEYS_STAND = (
    "Keys stand in the views `current_trade` (trade_id) and `current_outcome` (account_id, "
    "client_id); a client's own number of another system is not one of them."
)


@dataclass(frozen=True)
class Subject:
    """A run and accounts of it; the one trade asked for, or None for all of theirs."""

    kind: str
    run: Run
    account_ids: tuple[str, ...]
    trade_id: str | None = None


def find_subject(store: sa.Connection, key: str, run_id: str | None = None) -> Subject:
    """Return what a trade's, an account's or a client's key means.

    Parameters
    ----------
    run_id : the run's key or its first digits, whatever its status; if left out, the last
        published run that has something to say of the key.

    Raises
    ------
    ExplainError
        Nothing has that key, or nothing of it is published.
    """
    chosen = _run_of(store, run_id) if run_id is not None else None
    trade = tables["trade"]
    found = store.execute(
        sa.select(trade.c.run_id, trade.c.account_id).where(trade.c.trade_id == key)
    ).first()
    if found is not None:
        of_trade = _run_of_trade(store, key, found.run_id, chosen)
        return Subject("trade", of_trade, (found.account_id,), key)
    for kind, candidates in (("account", (key,)), ("client", _accounts_of(store, key))):
        run = chosen or _last_published(store, candidates)
        account_ids = _advised(store, candidates, run) if run else ()
        if run and account_ids:
            return Subject(kind, run, account_ids)
    raise _unknown(store, key, chosen)


def runs_by_id(store: sa.Connection, run_ids: set[str]) -> dict[str, Run]:
    """Return runs by their keys."""
    run = tables["advice_run"]
    rows = store.execute(sa.select(run).where(run.c.run_id.in_(run_ids)))
    return {row.run_id: _as_run(row) for row in rows}


def _as_run(row: sa.Row) -> Run:
    return Run(**{field.name: row._mapping[field.name] for field in fields(Run)})


def _run_of(store: sa.Connection, run_id: str) -> Run:
    run = tables["advice_run"]
    begins_so = run.c.run_id.startswith(run_id, autoescape=True)
    found = store.execute(sa.select(run).where(begins_so).limit(2)).all()
    if len(found) != 1 or not run_id:
        raise ExplainError(
            "run",
            run_id,
            "more than one run begins with it" if found else "the store has no such run",
            "Take the run_id of a row of `advice_run`; its first digits will do.",
        )
    return _as_run(found[0])


def _run_of_trade(store: sa.Connection, key: str, run_id: str, chosen: Run | None) -> Run:
    if chosen is not None and chosen.run_id != run_id:
        raise ExplainError(
            "trade", key, f"it is of run {run_id}, not of {chosen.run_id}", "Leave --run out."
        )
    run = chosen or _run_of(store, run_id)
    if chosen is None and run.status != RunStatus.PUBLISHED:
        raise ExplainError(
            "trade",
            key,
            f"its run is {run.status}, so it is no advice of today",
            f"Add --run {run_id} to see it all the same.",
        )
    return run


def _accounts_of(store: sa.Connection, client_id: str) -> tuple[str, ...]:
    account = tables["account"]
    query = sa.select(account.c.account_id).where(account.c.client_id == client_id).distinct()
    return tuple(store.execute(query).scalars())


def _last_published(store: sa.Connection, account_ids: Sequence[str]) -> Run | None:
    run, outcome = tables["advice_run"], tables["client_outcome"]
    row = store.execute(
        sa.select(run)
        .join(outcome, outcome.c.run_id == run.c.run_id)
        .where(outcome.c.account_id.in_(account_ids), run.c.status == RunStatus.PUBLISHED.value)
        .order_by(run.c.session_date.desc(), run.c.published_at.desc())
        .limit(1)
    ).first()
    return None if row is None else _as_run(row)


def _advised(store: sa.Connection, account_ids: Sequence[str], run: Run) -> tuple[str, ...]:
    outcome = tables["client_outcome"]
    query = sa.select(outcome.c.account_id).where(
        outcome.c.run_id == run.run_id, outcome.c.account_id.in_(account_ids)
    )
    return tuple(sorted(store.execute(query).scalars()))


def _unknown(store: sa.Connection, key: str, chosen: Run | None) -> ExplainError:
    for kind in ("account", "client"):
        table = tables[kind]
        known = sa.select(table.c[f"{kind}_id"]).where(table.c[f"{kind}_id"] == key).limit(1)
        if store.execute(known).first() is not None:
            where = f"run {chosen.run_id}" if chosen else "a published run"
            return ExplainError(
                kind,
                key,
                f"{where} has no outcome of it",
                "Run `smartinvest run`, or name a run with --run (advice_run, client_outcome).",
            )
    problem = "no trade, account or client of the store has this key"
    return ExplainError("key", key, problem, _WHERE_KEYS_STAND)
