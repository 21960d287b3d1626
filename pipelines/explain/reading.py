"""Everything but trades that the store and the lake know of an advice: one query per subject."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from models.lake import PRICES
from models.vocabulary import (
    HORIZON_SESSIONS,
    AllocationView,
    Constraint,
    GoalKind,
    GoalLever,
    NoTrade,
    Outcome,
    Trigger,
)
from pipelines.errors import LakeError
from pipelines.explain.facts import (
    AccountOutcome,
    Forecast,
    Goal,
    Instrument,
    Run,
    SnapshotFile,
    Weight,
)
from pipelines.lake.parquet_reading import read_parquet
from pipelines.lake.storage import storage
from pipelines.rebalance.trades.arithmetic import NANOS
from pipelines.settings import Settings
from pipelines.store import tables

_PRICE_FILES = f"raw/{PRICES.name}/"


def read_outcomes(
    store: sa.Connection, run_id: str, account_ids: Collection[str]
) -> dict[str, AccountOutcome]:
    """Return what a run did with accounts, by account."""
    table = tables["client_outcome"]
    rows = store.execute(
        sa.select(table).where(table.c.run_id == run_id, table.c.account_id.in_(account_ids))
    )
    found = {}
    for row in rows:
        values = dict(row._mapping)
        relaxed = values.pop("relaxed_constraints") or ""
        values["outcome"] = Outcome(row.outcome)
        values["trigger"] = Trigger(row.trigger)
        values["relaxed"] = tuple(Constraint(name) for name in relaxed.split(",") if name)
        found[row.account_id] = AccountOutcome(**values)
    return found


def read_account(store: sa.Connection, account_id: str, run: Run) -> sa.Row | None:
    """Return an account as the run knew it: ``goal_id``, ``tax_kind``, ``share_kind``."""
    table = tables["account"]
    return store.execute(
        sa.select(table.c.goal_id, table.c.tax_kind, table.c.share_kind)
        .where(table.c.account_id == account_id, table.c.recorded_at <= run.started_at)
        .order_by(table.c.version.desc())
        .limit(1)
    ).first()


def read_weights(store: sa.Connection, run_id: str, account_id: str) -> tuple[Weight, ...]:
    """Return an account's target and what was held, the largest of both first, cash last."""
    table = tables["target_allocation"]
    rows = store.execute(
        sa.select(table).where(table.c.run_id == run_id, table.c.account_id == account_id)
    )
    weights = [
        Weight(
            symbol=row.symbol,
            target=row.weight,
            held=row.current_weight,
            lower=row.lower_bound,
            upper=row.upper_bound,
            is_on_bound=row.bound_binds,
            constraint=Constraint(row.binding_constraint) if row.binding_constraint else None,
            no_trade=NoTrade(row.no_trade) if row.no_trade else None,
        )
        for row in rows
    ]
    return tuple(
        sorted(weights, key=lambda w: (w.symbol.startswith("$"), -max(w.target, w.held), w.symbol))
    )


def read_views(
    store: sa.Connection, run_id: str, account_id: str
) -> dict[AllocationView, dict[str, float]]:
    """Return an account's weights under each view."""
    table = tables["counterfactual_target"]
    rows = store.execute(
        sa.select(table.c.view, table.c.weights).where(
            table.c.run_id == run_id, table.c.account_id == account_id
        )
    )
    found = {
        AllocationView(row.view): {
            symbol: nanos / NANOS for symbol, nanos in json.loads(row.weights).items()
        }
        for row in rows
    }
    return {view: found[view] for view in AllocationView if view in found}


def read_forecasts(
    store: sa.Connection, run_id: str, symbols: Collection[str]
) -> tuple[Forecast, ...]:
    """Return the serving model's forecasts over the optimiser's horizon, by symbol."""
    table = tables["forecast"]
    rows = store.execute(
        sa.select(table)
        .where(
            table.c.run_id == run_id,
            table.c.symbol.in_(symbols),
            table.c.serves,
            table.c.horizon_sessions == HORIZON_SESSIONS,
        )
        .order_by(table.c.symbol)
    ).all()
    parts = _read_parts(store, run_id, symbols)
    return tuple(
        Forecast(
            symbol=row.symbol,
            model_name=row.model_name,
            model_version=row.model_version,
            horizon_sessions=row.horizon_sessions,
            mean=row.expected_log_return,
            stdev=row.stdev_log_return,
            interval_80=(row.lower_80_log_return, row.upper_80_log_return),
            interval_95=(row.lower_95_log_return, row.upper_95_log_return),
            interval_note=row.interval_note,
            confidence=row.confidence,
            parts=tuple(parts[row.symbol, row.model_name]),
        )
        for row in rows
    )


def _read_parts(
    store: sa.Connection, run_id: str, symbols: Collection[str]
) -> dict[tuple[str, str], list[tuple[str, float | None, float]]]:
    table = tables["forecast_attribution"]
    rows = store.execute(
        sa.select(table).where(
            table.c.run_id == run_id,
            table.c.symbol.in_(symbols),
            table.c.horizon_sessions == HORIZON_SESSIONS,
        )
    )
    found = defaultdict(list)
    for row in rows:
        part = (row.feature, row.feature_value, row.contribution_log_return)
        found[row.symbol, row.model_name].append(part)
    for parts in found.values():
        parts.sort(key=lambda part: (-abs(part[2]), part[0]))
    return found


def read_goal(store: sa.Connection, run_id: str, goal_id: str) -> Goal | None:
    """Return a goal with its projection; None where the run made none."""
    table, goal = tables["goal_projection"], tables["goal"]
    row = store.execute(
        sa.select(table, goal.c.kind, goal.c.target_cents, goal.c.target_date)
        .join(
            goal,
            sa.and_(goal.c.goal_id == table.c.goal_id, goal.c.version == table.c.goal_version),
        )
        .where(table.c.run_id == run_id, table.c.goal_id == goal_id)
    ).first()
    if row is None:
        return None
    return Goal(
        goal_id=row.goal_id,
        kind=GoalKind(row.kind),
        target_cents=row.target_cents,
        target_date=row.target_date,
        probability=row.success_probability,
        probability_error=row.probability_error,
        wealth_cents=row.wealth_cents,
        planned_cents=row.planned_cash_flow_cents,
        worth_cents=(row.lower_worth_cents, row.median_worth_cents, row.upper_worth_cents),
        aimed_probability=row.aimed_probability,
        extra_monthly_cents=row.extra_monthly_cents,
        later_target_date=row.later_target_date,
        lower_target_cents=row.lower_target_cents,
        higher_risk_score=row.higher_risk_score,
        best_lever=GoalLever(row.best_lever) if row.best_lever else None,
        sentence=row.sentence,
    )


def read_instruments(store: sa.Connection) -> dict[str, Instrument]:
    """Return what each symbol is."""
    table = tables["instrument"]
    rows = store.execute(sa.select(table.c.symbol, table.c.name, table.c.asset_class))
    return {row.symbol: Instrument(row.name, row.asset_class) for row in rows}


def read_files(
    settings: Settings, store: sa.Connection, data_snapshot: str, symbols: Sequence[str]
) -> tuple[SnapshotFile, ...]:
    """Return a snapshot's files; prices of the symbols first, newest first, then by path."""
    table = tables["snapshot_file"]
    rows = store.execute(sa.select(table).where(table.c.data_snapshot == data_snapshot))
    files = [
        SnapshotFile(row.path, row.digest, row.rows, _rows_of(settings, row.path, symbols))
        for row in rows
    ]
    files.sort(key=lambda file: file.path, reverse=True)
    meant = [file for file in files if file.rows_of_symbols]
    others = [file for file in files if not file.rows_of_symbols]
    return (*meant, *reversed(others))


def _rows_of(settings: Settings, path: str, symbols: Sequence[str]) -> int | None:
    if not symbols or not path.startswith(_PRICE_FILES):
        return None
    try:
        return read_parquet(storage(settings), PRICES, path, ["symbol"], symbols).num_rows
    except LakeError:
        # Compacted or moved away since: path and digest still say what it was.
        return None
