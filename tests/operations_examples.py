"""A small home for the operations page: a store with runs, quarantine, a model, task lineage."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

from new_stores import make_store

from models.store_advice import CLIENT_OUTCOME
from models.store_forecasts import MODEL_CHOICE, MODEL_EVIDENCE
from models.store_issues import CLIENT_ISSUE, QUARANTINE
from models.store_runs import ADVICE_RUN, ADVICE_SHARD
from models.vocabulary import RunStatus
from pipelines.settings import Settings, load_settings
from pipelines.store import insert, transaction

SESSION = dt.date(2022, 12, 28)
NOW = dt.datetime(2022, 12, 29, 2, 0, tzinfo=dt.UTC)
RUN = "ab" * 32
MARKUP = "<script>alert(1)</script>"
OUTCOMES = ("rebalanced", "rebalanced", "within_band", "failed")


def operations_home(home: Path) -> Settings:
    """Settings of a home with a store that has something of everything that the page shows."""
    settings = load_settings({}, home=home)
    make_store(settings)
    with transaction(settings) as store:
        insert(store, ADVICE_RUN, [advice_run(RUN, SESSION, NOW - dt.timedelta(hours=2))])
        insert(store, CLIENT_OUTCOME, outcomes(RUN, OUTCOMES))
        insert(store, ADVICE_SHARD, [shard(RUN, len(OUTCOMES), trades=7)])
        insert(store, QUARANTINE, [rejected("KO", day) for day in (26, 27)])
        insert(store, CLIENT_ISSUE, [ISSUE])
        insert(store, MODEL_CHOICE, [CHOICE])
        insert(store, MODEL_EVIDENCE, [EVIDENCE])
    return settings


def advice_run(
    run_id: str, session: dt.date, at: dt.datetime, status: str = RunStatus.PUBLISHED
) -> dict[str, Any]:
    """A run's row."""
    texts = ("feature_hash", "mlflow_run_id", "config_hash", "history_hash")
    return {
        **dict.fromkeys(texts, "x"),
        "run_id": run_id,
        "source": "sample",
        "session_date": session,
        "status": status,
        "data_snapshot": "5a" * 32,
        "model_name": "smartinvest-ridge",
        "model_version": 3,
        "code_version": "1.0+abc",
        "started_at": at - dt.timedelta(minutes=1),
        "published_at": at if status != RunStatus.BUILDING else None,
    }


def outcomes(run_id: str, said: tuple[str, ...]) -> list[dict[str, Any]]:
    """One row for each account's outcome."""
    cents = ("cash_before", "sells", "buys", "fees", "cash_after")
    return [
        {
            **{f"{name}_cents": 100 for name in cents},
            "run_id": run_id,
            "account_id": f"account-{number:07}",
            "client_id": f"client-{number:07}",
            "outcome": outcome,
            "trigger": "drift",
            "sentence": "Why it is so, in words that take their room." * 3,
        }
        for number, outcome in enumerate(said)
    ]


def shard(run_id: str, accounts: int, trades: int) -> dict[str, Any]:
    """The row of a run's only shard."""
    return {
        "run_id": run_id,
        "shard": 0,
        "status": "written",
        "accounts_per_shard": accounts,
        "accounts": accounts,
        "trades": trades,
        "inputs_digest": "x",
        "digest": "x",
        "written_at": NOW,
    }


def rejected(symbol: str, day: int) -> dict[str, Any]:
    """A row of the quarantine."""
    return {
        "source": "sample",
        "dataset": "prices",
        "symbol": symbol,
        "session_date": dt.date(2022, 12, day),
        "detail": "",
        "known_at": NOW,
        "rule": "close_is_positive",
        "observed_value": "-63.5",
        "reason": f"the close is not above zero {MARKUP}",
        "remedy": "mend it",
        "since": NOW - dt.timedelta(hours=day),
    }


ISSUE = {
    "issue_id": "i",
    "client_id": "client-0000001",
    "file_digest": "x",
    "line": 3,
    "field": "birth_date",
    "cause": "it is no date",
    "remedy": "mend it",
    "since": NOW,
}
CHOICE = {
    "source": "sample",
    "session_date": SESSION,
    "decision": "retrained",
    "role": "champion",
    "reason": "it beat all baselines",
    "model_name": "smartinvest-ridge",
    "model_version": 3,
    "mlflow_run_id": "m",
    "training_run_id": "training-1",
    "method": "x",
    "fitted_through": dt.date(2022, 6, 1),
    "trained_through": dt.date(2022, 11, 1),
    "decided_at": NOW,
}
EVIDENCE = {
    "source": "sample",
    "session_date": SESSION,
    "training_run_id": "training-1",
    "model_name": "smartinvest-ridge",
    "against": "smartinvest-naive",
    "horizon_sessions": 21,
    "from_session_date": dt.date(2020, 1, 2),
    "to_session_date": dt.date(2022, 11, 1),
    "sessions": 700,
    "loss_difference": -1e-4,
    "statistic": -2.5,
    "p_value": 0.006,
    "p_value_corrected": 0.012,
    "passed": True,
}


def many_runs(settings: Settings, runs: int, accounts: int) -> str:
    """Add runs of earlier sessions, and a published one of many accounts; return its key."""
    chance = random.Random(1)
    newest = f"{runs:064x}"
    with transaction(settings) as store:
        for number in range(runs):
            day = SESSION - dt.timedelta(days=number % 1500)
            row = advice_run(f"{number:064x}", day, NOW, RunStatus.SUPERSEDED)
            insert(store, ADVICE_RUN, [row])
        insert(store, ADVICE_RUN, [advice_run(newest, SESSION, NOW)])
        said = tuple(chance.choices(("rebalanced", "within_band", "held"), k=accounts))
        insert(store, CLIENT_OUTCOME, outcomes(newest, said))
        insert(store, ADVICE_SHARD, [shard(newest, accounts, trades=5 * accounts)])
    return newest
