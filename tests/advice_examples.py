"""Published advice as the rebalance stage leaves it in the store, small enough to check by hand."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from models.store_advice import CLIENT_OUTCOME, TARGET_ALLOCATION
from models.store_forecasts import FORECAST, MODEL_CHOICE, MODEL_EVIDENCE
from models.store_runs import ADVICE_RUN, SNAPSHOT_FILE
from models.store_scores import MODEL_CHECK, MODEL_SCORE
from models.store_trades import TRADE
from models.vocabulary import CASH
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.store import insert, tables, transaction, upsert

WEIGHTS = {"AAPL": (0.5, 0.25), "KO": (0.3, 0.25), CASH: (0.2, 0.5)}
"""Target and current weight by symbol."""

FORECASTS = {"AAPL": 0.03, "KO": -0.01, "XOM": 0.0}


def publish_run(
    settings: Settings,
    session: dt.date,
    run_id: str = "",
    *,
    supersedes: str | None = None,
    forecasts: Mapping[str, float] = FORECASTS,
) -> str:
    """Write a run of two accounts: ada gets a new target, bob keeps it; return its key."""
    run_id = run_id or f"run-{session}"
    key = {"run_id": run_id}
    with transaction(settings) as store:
        if supersedes is not None:
            set_status(store, supersedes, "superseded")
        insert(store, ADVICE_RUN, [_run(settings, run_id, session, supersedes)])
        upsert(store, SNAPSHOT_FILE, _files(f"snapshot-{session}"))
        insert(store, CLIENT_OUTCOME, [key | row for row in _outcomes(run_id)])
        insert(store, TARGET_ALLOCATION, [key | row for row in _allocation()])
        insert(store, TRADE, [key | _trade(run_id, session)])
        insert(store, FORECAST, [key | _forecast(*each) for each in forecasts.items()])
    return run_id


def set_status(store: Any, run_id: str, status: str) -> None:
    """Let a run stand where it is said to."""
    run = tables["advice_run"]
    store.execute(run.update().where(run.c.run_id == run_id).values(status=status))


def choose_model(settings: Settings, session: dt.date) -> None:
    """Write the check, the choice, its evidence and the scores of a training at a session."""
    at = {"source": settings.source.value, "session_date": session}
    of_session = at | {"model_name": "lstm"}
    model = {"model_version": 3, "mlflow_run_id": "mlflow-3", "training_run_id": "training"}
    horizon = {"horizon_sessions": 21}
    due = {"retraining_due": True, "reason": "no model has been in service before"}
    decided = {"decision": "retrained", "role": "champion", "reason": "a test"}
    dates = {"fitted_through": session, "trained_through": session}
    compared = {"training_run_id": f"of {session}", "against": "smartinvest-naive"}
    period = {"from_session_date": session, "to_session_date": session, "sessions": 63}
    found = {"loss_difference": -0.1, "statistic": -2.5, "p_value": 0.01}
    passed = {"p_value_corrected": 0.04, "passed": True}
    with transaction(settings) as store:
        upsert(store, MODEL_CHECK, [at | due])
        moment = {"decided_at": available_at(session)}
        upsert(store, MODEL_CHOICE, [of_session | model | decided | dates | moment])
        upsert(store, MODEL_EVIDENCE, [of_session | compared | horizon | period | found | passed])
        upsert(
            store,
            MODEL_SCORE,
            [
                of_session | model | horizon | scored(session) | {"period": period}
                for period in ("validation", "test")
            ],
        )


def scored(session: dt.date) -> dict[str, Any]:
    """What a score says of a period that is one session long."""
    period = {"period_start": session, "period_end": session}
    counts = {"forecasts": 100, "sessions": 50, "symbols": 2}
    errors = {"mae": 0.05, "rmse": 0.07, "mae_to_naive": 0.99, "rmse_to_naive": 0.98}
    rest = {"r2_out_of_sample": 0.001, "coverage_80": 0.81, "confidence": 0.2, "serves": True}
    return period | counts | errors | rest


def _run(
    settings: Settings, run_id: str, session: dt.date, supersedes: str | None
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "source": settings.source.value,
        "session_date": session,
        "status": "published",
        "data_snapshot": f"snapshot-{session}",
        "feature_hash": "features",
        "model_name": "lstm",
        "model_version": 3,
        "mlflow_run_id": "mlflow-3",
        "config_hash": "config",
        "history_hash": "history",
        "code_version": "code",
        "started_at": available_at(session),
        "published_at": available_at(session) + dt.timedelta(hours=1),
        "supersedes": supersedes,
    }


def _files(data_snapshot: str) -> list[dict[str, Any]]:
    return [
        {"data_snapshot": data_snapshot, "path": path, "digest": "d", "rows": rows}
        for path, rows in (("raw/prices/one", 100), ("clients/account/two", 2))
    ]


def _outcomes(run_id: str) -> list[dict[str, Any]]:
    idle = dict.fromkeys(("sells_cents", "buys_cents", "fees_cents"), 0)
    return [
        {
            "account_id": "ada-taxable",
            "client_id": "ada",
            "outcome": "rebalanced",
            "allocation_run_id": run_id,
            "trigger": "drift",
            "risk_score": 60,
            "drift": 0.3,
            "objective": 0.01,
            "kkt_residual": 1e-12,
            "solver": "daqp",
            "wealth_cents": 1_000_000,
            "cash_before_cents": 500_000,
            "sells_cents": 0,
            "buys_cents": 299_000,
            "fees_cents": 1_000,
            "cash_after_cents": 200_000,
            "sentence": 'We buy shares, since "cash" waits: 30 % of it.',
        },
        {
            "account_id": "bob-account",
            "client_id": "bob",
            "outcome": "within_band",
            "allocation_run_id": "run-before",
            "trigger": "none",
            "risk_score": 40,
            "drift": 0.01,
            "cash_before_cents": 100,
            "cash_after_cents": 100,
            "sentence": "Nothing to do.",
            **idle,
        },
    ]


def _allocation() -> list[dict[str, Any]]:
    return [
        {
            "account_id": "ada-taxable",
            "symbol": symbol,
            "weight": weight,
            "current_weight": current,
            "lower_bound": 0.0,
            "upper_bound": 1.0,
            "bound_binds": False,
        }
        for symbol, (weight, current) in WEIGHTS.items()
    ]


def _trade(run_id: str, session: dt.date) -> dict[str, Any]:
    return {
        "trade_id": f"trade-of-{run_id}",
        "account_id": "ada-taxable",
        "symbol": "AAPL",
        "side": "buy",
        "quantity_micros": 10_000_000,
        "price_micros": 299_000_000,
        "notional_cents": 299_000,
        "fee_cents": 1_000,
        "sequence": 1,
        "status": "proposed",
        "valid_until": session,
    }


def _forecast(symbol: str, mean: float) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "model_name": "lstm",
        "horizon_sessions": 21,
        "model_version": 3,
        "mlflow_run_id": "mlflow-3",
        "expected_log_return": mean,
        "stdev_log_return": 0.08,
        "lower_80_log_return": mean - 0.1,
        "upper_80_log_return": mean + 0.1,
        "lower_95_log_return": mean - 0.2,
        "interval_note": "no upper end of 95 %",
        "unit": "log return over the horizon",
        "confidence": 0.2,
        "serves": True,
    }
