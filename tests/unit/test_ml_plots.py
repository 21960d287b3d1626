"""Pictures show the numbers that the table has."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from ml_trained import LOSSES, TRIALS, small_training

from ml.forecasters import LSTM
from ml.plots import model_pictures, training_pictures
from ml.plots.coverage import coverage_by_year
from ml.plots.cumulative import cumulative_skill
from ml.plots.errors import error_ratios
from ml.plots.losses import loss_curves
from ml.plots.reliability import interval_reliability
from ml.plots.search import search_history
from ml.plots.style import colour_of
from ml.results import TrainingResult
from ml.scores import YearCoverage
from models.vocabulary import ScoredPeriod


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return small_training()


def heights(axes: Axes, colour: str, marker: str = "o") -> list[float]:
    """Heights of the single dots of a colour."""
    return [
        float(line.get_ydata()[0])
        for line in axes.get_lines()
        if line.get_marker() == marker and line.get_color() == colour and len(line.get_ydata()) == 1
    ]


def test_every_picture_of_a_training_can_be_drawn(result: TrainingResult) -> None:
    pictures = dict(training_pictures(result))
    assert list(pictures) == [
        "error_ratios",
        "cumulative_skill",
        "coverage_by_year",
        "interval_reliability",
        "search",
    ]
    assert list(dict(model_pictures(result["ema"], result))) == ["coverage_by_year"]
    assert all(figure.get_axes() for figure in pictures.values())


def test_no_search_has_no_picture(result: TrainingResult) -> None:
    assert "search" not in dict(training_pictures(replace(result, trials=())))


def test_dots_of_errors_are_the_tables_ratios_and_lines_the_seeds_range(
    result: TrainingResult,
) -> None:
    def spread(score):  # type: ignore[no-untyped-def]
        return replace(score, rmse_to_naive_seed_lowest=0.99, rmse_to_naive_seed_highest=1.02)

    models = tuple(
        replace(model, scores=tuple(map(spread, model.scores))) if model.name == "ridge" else model
        for model in result.models
    )
    figure = error_ratios(replace(result, models=models))
    for axes, horizon in zip(figure.get_axes(), (5, 21), strict=True):
        ratio = result["ridge"].score(ScoredPeriod.TEST, horizon).rmse_to_naive
        assert ratio is not None
        own = [line for line in axes.get_lines() if line.get_color() == colour_of("ridge")]
        places = [list(map(float, line.get_xdata())) for line in own]
        assert places[0] == pytest.approx([-1.0, 2.0])
        assert places[1] == pytest.approx([100 * (ratio - 1)])
    assert figure.get_axes()[0].yaxis_inverted()  # the first model of the table is on top


def test_lines_of_skill_end_at_the_r2_of_session_means(result: TrainingResult) -> None:
    figure = cumulative_skill(result)
    for number, axes in enumerate(figure.get_axes()):
        outcomes = result.test_outcomes[number]
        errors = {
            name: np.nanmean(np.square(outcomes - result[name].test.mean[number]), axis=1)
            for name in ("ridge", "expanding_mean")
        }
        r2 = 1 - np.nansum(errors["ridge"]) / np.nansum(errors["expanding_mean"])
        (line,) = [each for each in axes.get_lines() if each.get_color() == colour_of("ridge")]
        assert float(line.get_ydata()[-1]) == pytest.approx(100 * r2, abs=1e-9)
        known = np.isfinite(outcomes).any(axis=1)
        positions = result["ridge"].test.positions[known]
        np.testing.assert_array_equal(line.get_xdata(), result.sessions[positions])


def test_years_outside_of_what_chance_allows_are_ringed() -> None:
    years = [
        YearCoverage(21, 0.8, 2020, 0.6, 0.7, 0.9, 100),
        YearCoverage(21, 0.8, 2021, 0.8, 0.7, 0.9, 100),
        YearCoverage(21, 0.8, 2022, 0.5, None, None, 10),
        YearCoverage(21, 0.8, None, 0.7, 0.75, 0.85, 210),
    ]
    (axes,) = coverage_by_year(years, "ema").get_axes()
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [float(dot.get_ydata()[0]) for dot in dots] == pytest.approx([60.0, 80.0, 50.0])
    assert [dot.get_markeredgecolor() != dot.get_color() for dot in dots] == [True, False, False]


def test_dots_of_reliability_are_the_tables_coverage(result: TrainingResult) -> None:
    figure = interval_reliability(result)
    for axes, horizon in zip(figure.get_axes(), (5, 21), strict=True):
        score = result["ridge"].score(ScoredPeriod.TEST, horizon)
        assert score.coverage_80 is not None
        assert score.coverage_95 is not None
        assert heights(axes, colour_of("ridge")) == pytest.approx(
            [100 * (score.coverage_80 - 0.8), 100 * (score.coverage_95 - 0.95)]
        )


def test_losses_have_a_panel_per_fold_and_two_lines_per_seed() -> None:
    figure = loss_curves(LSTM, LOSSES)
    assert figure is not None
    panels = figure.get_axes()
    assert [axes.get_title() for axes in panels] == ["fold 1", "fold 2", "to serve"]
    assert [len(axes.get_lines()) for axes in panels] == [4, 4, 4]
    validation, training = panels[0].get_lines()[:2]
    assert list(validation.get_ydata()) == [
        loss.held_out_loss for loss in LOSSES if loss.fold == 1 and "seed 1" in loss.what
    ]
    assert list(training.get_xdata()) == [1, 2, 3]
    assert loss_curves("ridge", LOSSES) is None


def test_the_search_shows_each_trial_by_its_state_and_the_best_so_far() -> None:
    better = replace(TRIALS[0], number=3, held_out_loss=0.3, settings={**TRIALS[0].settings})
    figure = search_history((*TRIALS, better))
    history, *settings = [axes for axes in figure.get_axes() if axes.get_visible()]
    drawn = {line.get_label(): line for line in history.get_lines()}
    assert list(drawn["complete"].get_xdata()) == [1, 4]
    assert list(drawn["pruned"].get_ydata()) == [0.9]
    assert "fail" not in drawn  # it failed before its first epoch
    assert list(drawn["best"].get_ydata()) == [0.4, 0.4, 0.4, 0.3]
    assert [axes.get_xlabel() for axes in settings] == ["units", "learning_rate"]
