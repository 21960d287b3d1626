"""Which forecasts a run takes, and what it says where there are none."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rebalance_runs import contents, copy_home, identify_run, publish_before, query
from warehouse_inputs import SESSION

from pipelines.errors import RebalanceError
from pipelines.forecast.run import begin_with_known_forecasts
from pipelines.rebalance import rebalance
from pipelines.settings import Settings
from pipelines.store import tables, transaction


def test_a_session_published_before_after_the_forecasts_were_made_needs_no_new_forecasts(
    settings: Settings,
) -> None:
    begun = identify_run(settings)
    with transaction(settings) as store:
        publish_before(store, begun)
    published = rebalance(settings, SESSION)
    assert (published.written, published.run_id == begun.run_id) == (True, False)
    runs = "SELECT run_id, status FROM advice_run WHERE session_date = '2022-12-28'"
    assert query(settings, runs) == [(published.run_id, "published")]
    forecasts = "SELECT run_id, count(*) FROM forecast WHERE symbol = 'KO' GROUP BY run_id"
    assert query(settings, forecasts) == [(published.run_id, 1)]


@pytest.mark.parametrize(
    "changed",
    [
        {"session_date": dt.date(2022, 12, 27)},
        {"data_snapshot": "another"},
        {"feature_hash": "another"},
        {"model_version": 2},
        {"mlflow_run_id": "another"},
        {"config_hash": "another"},
        {"code_version": "another"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_forecasts_made_from_anything_else_are_not_taken_over(
    sqlite_settings: Settings, changed: dict[str, Any]
) -> None:
    before = contents(sqlite_settings)
    other = dataclasses.replace(identify_run(sqlite_settings), history_hash="another", **changed)
    with transaction(sqlite_settings) as store:
        begin_with_known_forecasts(store, other)
    assert contents(sqlite_settings) == before


def test_without_forecasts_of_the_chosen_model_it_says_which_command_to_run(
    settings: Settings,
) -> None:
    with transaction(settings) as store:
        publish_before(store, identify_run(settings))
        store.execute(sa.text("UPDATE model_choice SET model_version = 2"))
    with pytest.raises(RebalanceError, match="no forecasts of sma 2"):
        rebalance(settings, SESSION)


def test_without_a_model_choice_it_says_which_command_to_run(
    built_home: Path, tmp_path: Path
) -> None:
    settings = copy_home(built_home, tmp_path / "home")
    with pytest.raises(RebalanceError, match="smartinvest train"):
        rebalance(settings, SESSION)


def test_without_forecasts_it_says_which_command_to_run(sqlite_settings: Settings) -> None:
    with transaction(sqlite_settings) as store:
        store.execute(sa.delete(tables["forecast"]))
        store.execute(sa.delete(tables["advice_run"]))
    with pytest.raises(RebalanceError, match="smartinvest forecast"):
        rebalance(sqlite_settings, SESSION)


def test_forecasts_that_serve_nobody_are_refused(sqlite_settings: Settings) -> None:
    with transaction(sqlite_settings) as store:
        store.execute(sa.update(tables["forecast"]).values(serves=False))
    with pytest.raises(RebalanceError, match="no forecast over 21 sessions serves it"):
        rebalance(sqlite_settings, SESSION)
