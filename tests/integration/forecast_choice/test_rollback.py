"""A person puts an earlier training back, and takes that back."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from choice_examples import BETWEEN, EARLIER, given
from ml_examples import LAST_SESSION, dates_of, feature_table, random_walk
from ml_published import publish_features
from stored import rows
from typer.testing import CliRunner

from ml.tracking import Registry
from pipelines.cli.main import app
from pipelines.errors import ModelError
from pipelines.forecast import ModelChoice, train
from pipelines.forecast.rollback import roll_back
from pipelines.monitor import find_check, monitor
from pipelines.sessions import session_after
from pipelines.settings import Settings
from pipelines.store import tables, transaction


def chosen(settings: Settings) -> list[tuple[dt.date, str]]:
    return sorted((row["session_date"], row["decision"]) for row in rows(settings, "model_choice"))


def test_a_rollback_puts_the_training_before_back_from_the_newest_session_on(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, second = twice
    checked = find_check(settings, LAST_SESSION)
    report = roll_back(settings, reason="it forecasts nonsense", decided_by="ada")
    assert report.from_session_date == LAST_SESSION
    assert (report.training_run_id, report.left_training_run_id) == (
        first.training_run_id,
        second.training_run_id,
    )
    back = train(settings, LAST_SESSION)
    assert (back.decision, back.training_run_id) == ("rolled_back", first.training_run_id)
    assert (back.model_name, back.model_version) == (first.model_name, first.model_version)
    assert f"ada put the training of {EARLIER} back" in back.reason
    assert "it forecasts nonsense" in back.reason
    assert train(settings, LAST_SESSION) == back  # taken up once
    assert chosen(settings) == [(EARLIER, "retrained"), (LAST_SESSION, "rolled_back")]
    assert monitor(settings, LAST_SESSION) == checked  # what is checked is known before
    assert given == []


def test_what_was_put_back_serves_on_until_a_training_is_due_by_the_age_of_the_last_one(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, _ = twice
    roll_back(settings, reason="worse", decided_by="ada")
    train(settings, LAST_SESSION)
    longer = feature_table(random_walk(sessions=402, symbols=3))
    shift = session_after(LAST_SESSION, 2)
    dates = [session_after(date, 2) for date in dates_of(402)]
    moved = pa.array(np.repeat(np.array(dates, "datetime64[D]"), 3)).cast(pa.date32())
    longer = longer.set_column(longer.column_names.index("session_date"), "session_date", moved)
    publish_features(settings, longer)
    kept = train(settings, shift)
    assert (kept.decision, kept.training_run_id) == ("kept", first.training_run_id)
    assert "2 of 63 sessions old" in kept.reason


def test_a_rollback_waits_for_the_next_choice_and_leaves_earlier_sessions_alone(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, second = twice
    roll_back(settings, to=first.training_run_id, reason="worse", decided_by="ada")
    between = train(settings, BETWEEN)
    assert (between.decision, between.training_run_id) == ("kept", first.training_run_id)
    assert train(settings, LAST_SESSION).decision == "rolled_back"
    roll_back(settings, to=second.training_run_id, reason="it was not", decided_by="ben")
    again = train(settings, LAST_SESSION)
    assert (again.training_run_id, again.mlflow_run_id) == (
        second.training_run_id,
        second.mlflow_run_id,
    )


def test_a_rollback_that_cannot_be_is_refused_and_nothing_is_written(
    twice: tuple[Settings, ModelChoice, ModelChoice],
) -> None:
    settings, first, second = twice

    def refused(problem: str, to: str | None) -> None:
        with pytest.raises(ModelError, match=problem):
            roll_back(settings, to=to, reason="a test", decided_by="ada")
        assert rows(settings, "model_rollback") == []

    refused("the registry does not know it", "0" * 32)
    refused("it is in service already", second.training_run_id)
    client = Registry(settings.mlflow)._connection
    with client.use() as mlflow:
        mlflow.delete_model_version(first.model_name, str(first.model_version))
    refused(f"model {first.model_name}, version = '1': it is not there", first.training_run_id)
    with transaction(settings) as connection:
        choice = tables["model_choice"]
        connection.execute(sa.delete(choice).where(choice.c.session_date == LAST_SESSION))
    refused("there was none before it", None)
    refused("which .* must not know", second.training_run_id)


def test_a_rollback_without_any_choice_says_what_to_run(settings: Settings) -> None:
    with pytest.raises(ModelError, match=r"none was chosen yet. Run `smartinvest train`"):
        roll_back(settings, reason="a test", decided_by="ada")


def test_the_command_lists_trainings_with_role_scores_and_evidence_and_rolls_back(
    twice: tuple[Settings, ModelChoice, ModelChoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, first, second = twice
    monkeypatch.setenv("SMARTINVEST_HOME", str(settings.home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("pipelines.cli.models.out.width", 200, raising=False)
    listed = CliRunner().invoke(app, ["models", "list"], catch_exceptions=False).output
    assert first.training_run_id in listed
    assert f"training {second.training_run_id}" in listed
    assert "baseline" in listed
    assert "Evidence: " in listed
    assert f"{EARLIER}, 1 session " in listed
    command = ["models", "rollback", "--reason", "a test", "--by", "ada"]
    said = CliRunner().invoke(app, command, catch_exceptions=False).output
    assert f"{first.model_name} version {first.model_version}, as baseline" in said
    [kept] = rows(settings, "model_rollback")
    assert (kept["decided_by"], kept["reason"]) == ("ada", "a test")
