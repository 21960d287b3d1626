"""A fit that is kept in a training's folder: taken as it is, and made anew where it is damaged."""

import json
import logging
from pathlib import Path

import pytest
from lstm_examples import assert_same_forecasts
from ml_examples import panel_of, random_walk
from ml_models import small_model

from ml.panel import Panel
from ml.splits import FoldPlan, walk_forward
from ml.training.fold_fits import FoldFit, fit_in_fold, is_kept
from ml.work import Work


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(random_walk(1200, 4))


def fitted(panel: Panel, name: str, folder: Path) -> FoldFit:
    split = walk_forward(len(panel), FoldPlan(folds=1, test_share=0.2)).folds[0]
    return fit_in_fold(small_model(name), panel, split, 1, Work(3, folder))


def assert_same(one: FoldFit, other: FoldFit) -> None:
    assert_same_forecasts(one.forecasts, other.forecasts)
    for ours, theirs in zip(one.seeds, other.seeds, strict=True):
        assert_same_forecasts(ours, theirs)
    assert one.losses == other.losses
    assert one.forecaster.trials == other.forecaster.trials


@pytest.mark.parametrize("name", ["sma", "ridge", "lightgbm"])
def test_a_kept_fit_is_taken_and_one_with_a_damaged_file_is_made_anew(
    panel: Panel, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="ml.training.fold_fits")
    whole = fitted(panel, name, tmp_path)
    assert is_kept(tmp_path)
    assert_same(fitted(panel, name, tmp_path), whole)
    assert "was fitted before" in caplog.text
    files = sorted(path for path in (tmp_path / "fitted").rglob("*") if path.is_file())
    assert {path.name for path in files} >= {"forecasts.npz", "forecaster.json"}
    for path in files:
        if path.name == "losses.jsonl":
            with path.open("ab") as file:
                file.write(b'\xff\nnull\n{"epoch": 3}\n{"model_na')
            continue  # such lines are left out: what is kept of losses is for the eye
        content = path.read_bytes()
        damaged = [content[: len(content) // 2], b""]
        if path.name == "forecaster.json":
            state = json.loads(content)
            damaged += [b"[]", json.dumps({"name": state["name"]}).encode()]
        for bytes_left in damaged:
            path.write_bytes(bytes_left)
            caplog.clear()
            assert_same(fitted(panel, name, tmp_path), whole)
            assert "is damaged and is fitted again" in caplog.text
            assert path.read_bytes()
