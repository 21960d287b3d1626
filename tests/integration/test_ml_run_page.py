"""What the run of a training shows to a reader: description, card, tables, pictures."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from ml_registry import client_of, new_registry
from ml_trained import IDENTITY, small_training
from mlflow.entities import Run

from ml.card import model_card, skill_sentence, summary
from ml.card.honest_table import honest_rows
from ml.card.results import reading
from ml.records import FinishedTraining, RegisteredModel
from ml.results import TrainingResult
from ml.scores import Score
from models.vocabulary import ScoredPeriod

LONGEST_DESCRIPTION = 8000
"""What MLflow keeps of a tag."""


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return small_training()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page") / "mlflow"


@pytest.fixture(scope="module")
def training(folder: Path, result: TrainingResult) -> FinishedTraining:
    with new_registry(folder).training(IDENTITY) as run:
        return run.finish(result)


@pytest.fixture(scope="module")
def run(folder: Path, training: FinishedTraining) -> Run:
    return client_of(folder).get_run(training.run_id)


def artifacts(folder: Path, run: Run) -> Path:
    return folder / "artifacts" / run.info.run_id / "artifacts"


def with_test_score(
    training: FinishedTraining, forecaster: str, **changes: object
) -> FinishedTraining:
    """The training with other numbers in one model's test."""

    def changed(model: RegisteredModel) -> RegisteredModel:
        scores = tuple(
            replace(score, **changes) if score.period is ScoredPeriod.TEST else score  # type: ignore[arg-type]
            for score in model.scores
        )
        return replace(model, scores=scores) if model.forecaster == forecaster else model

    return replace(training, models=tuple(map(changed, training.models)))


def test_the_description_says_who_serves_and_why_and_what_it_was_worth(
    run: Run, training: FinishedTraining
) -> None:
    described = run.data.tags["mlflow.note.content"]
    assert described.startswith(f"**{training.serving.forecaster} serves as best baseline**")
    assert training.choice.reason in described
    assert "out-of-sample R² of" in described
    assert len(re.findall(r"^\| ", described, re.MULTILINE)) == 2 + len(training.models) + 1
    assert len(described) < LONGEST_DESCRIPTION
    name = f"training sample quick {training.trained_through}: {training.serving.forecaster} serves"
    assert run.info.run_name == name


def test_the_honest_table_is_there_to_compute_with(
    run: Run, folder: Path, training: FinishedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    table = client_of(folder).load_table(
        run.info.experiment_id, "tables/honest_table.json", [run.info.run_id]
    )
    assert len(table) == 2 * 2 * len(training.models) + 2  # `served` has a test alone
    row = table.query("model == 'ema' and period == 'test' and horizon_sessions == 21").iloc[0]
    score = training["ema"].score(ScoredPeriod.TEST, 21)
    assert row["rmse_to_naive"] == pytest.approx(score.rmse_to_naive, abs=1e-9)
    assert row["trials"] == 3
    assert (table.groupby("model")["serves"].any().loc[lambda found: found].index.tolist()) == [
        training.serving.forecaster
    ]


def test_every_column_of_the_scores_is_in_the_honest_table(training: FinishedTraining) -> None:
    columns = set(honest_rows(training)[0])
    assert set(Score.__dataclass_fields__) <= columns
    assert {"model", "serves", "trials", "confidence", "fit"} <= columns


def test_evidence_coverage_symbols_and_trials_are_tables_too(run: Run, folder: Path) -> None:
    names = {path.name for path in (artifacts(folder, run) / "tables").iterdir()}
    assert names == {
        "honest_table.json",
        "evidence.json",
        "coverage_by_year.json",
        "symbol_scores.json",
        "trials.json",
    }


def test_the_page_holds_card_and_pictures_and_needs_nothing_beside_it(
    run: Run, folder: Path
) -> None:
    page = (artifacts(folder, run) / "model_card.html").read_text("utf-8")
    pictures = sorted((artifacts(folder, run) / "plots").glob("*.png"))
    assert page.count("data:image/png;base64,") == len(pictures) == 5
    assert "<table>" in page
    written = re.sub('base64,[^"]*', "", page)  # any four letters may be in a picture's bytes
    assert "http" not in written.replace("http-equiv", "")


def test_the_card_says_where_data_came_from_and_what_is_wrong_with_them(
    training: FinishedTraining, result: TrainingResult
) -> None:
    card = model_card(training, result)
    assert "universe of hindsight" in card
    identity = replace(training.identity, source="simulated")
    simulated = model_card(replace(training, identity=identity), result)
    assert "hindsight" not in simulated
    assert "nothing here says anything about real ones" in simulated
    for heading in ("Intended use", "Data", "How it was judged", "Intervals", "Limits"):
        assert f"\n## {heading}\n" in card


def test_the_card_counts_trials_and_says_what_evidence_there_was(
    training: FinishedTraining, result: TrainingResult
) -> None:
    card = model_card(training, result)
    assert "3 trials of the network's settings" in card
    assert "1 complete, 1 fail, 1 pruned" in card
    for evidence in training.choice.evidence:
        assert f"| {evidence.model_name} | {evidence.against} |" in card


@pytest.mark.parametrize(
    ("r2", "p_value", "said"),
    [
        (0.004, 0.4, "+0.40 % against the expanding mean over 21 sessions: not to be told"),
        (0.004, 0.01, "better by more than chance (p = 0.010)"),
        (-0.02, 0.0001, "worse by more than chance (p < 0.001)"),
        (0.0, None, "which is the expanding mean, or too little to be judged"),
    ],
)
def test_skill_is_told_with_the_chance_that_there_is_none(
    training: FinishedTraining, r2: float, p_value: float | None, said: str
) -> None:
    scores = tuple(
        replace(score, r2_out_of_sample=r2, dm_mean_p_value=p_value)
        for score in training.served_scores
    )
    assert said in skill_sentence(replace(training, served_scores=scores), 21)


def test_words_beside_the_table_follow_its_numbers(training: FinishedTraining) -> None:
    names = [model.forecaster for model in training.models]
    nobody = training
    for name in names:
        nobody = with_test_score(nobody, name, r2_out_of_sample=-0.01, dm_mean_p_value=0.5)
    assert reading(nobody, 21) == "No model has a lower squared error than the expanding mean."
    chance = with_test_score(nobody, "ema", r2_out_of_sample=0.01, dm_mean_p_value=0.5)
    assert "ema has a lower squared error than the expanding mean, but not by" in reading(
        chance, 21
    )
    sure = with_test_score(chance, "ema", r2_out_of_sample=0.01, dm_mean_p_value=0.01)
    assert "for ema p is below 0.05, before allowing for how many" in reading(sure, 21)
    worse = with_test_score(sure, "ridge", r2_out_of_sample=-0.3, dm_mean_p_value=0.001)
    assert "ridge has a higher one, by more than chance." in reading(worse, 21)


def test_the_summary_tells_the_weight_of_each_horizon(training: FinishedTraining) -> None:
    serving = replace(training.serving, confidence=(0.0, 0.25))
    told = summary(replace(training, serving=serving))
    assert "0.00 over 5 sessions, 0.25 over 21 sessions" in told
