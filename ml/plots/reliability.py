"""Whether intervals of every level hold what they say."""

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from ml.forecasters import BASELINES
from ml.plots.common import scored_test
from ml.plots.style import GRID, INK, QUIET, SERVED, colour_of, new_figure
from ml.results import TrainingResult
from ml.scores import OutOfSample
from models.vocabulary import INTERVAL_LEVELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEVELS = np.arange(0.05, 1.0, 0.05)


def interval_reliability(result: TrainingResult) -> "Figure":
    """Return how far coverage in the test is from the level asked for, a panel per horizon.

    Lines are intervals of a normal distribution with the forecast's mean and calibrated stdev, of
    every level; dots the adaptive ones of 80 and 95 %, which follow what was realised.
    """
    horizons = result.plan.horizons
    figure, axes = new_figure(10, 4.2, columns=len(horizons), sharey=True)
    forecasts = {model.name: model.test for model in result.models} | {SERVED: result.served.test}
    for place, horizon in enumerate(horizons):
        panel = axes[0][place]
        panel.axhline(0.0, color=INK, linewidth=0.8)
        for level in INTERVAL_LEVELS:
            panel.axvline(100 * level, color=GRID, linewidth=3, zorder=0)
        for name, test in forecasts.items():
            _draw(panel, result, test, place, name)
        panel.set_title(f"{horizon} sessions ahead, test")
        panel.set_xlabel("level of the interval, %")
    axes[0][0].set_ylabel("outcomes inside, less the level, points")
    axes[0][0].plot([], [], "o", color=QUIET, markersize=5, label="dots: adaptive conformal")
    figure.legend(
        *axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=8,
        fontsize=8, frameon=False, title="lines: normal with calibrated stdev", title_fontsize=8,
    )  # fmt: skip
    return figure


def _draw(axes: "Axes", result: TrainingResult, test: OutOfSample, horizon: int, name: str) -> None:
    where, outcomes = scored_test(result, horizon)
    errors = (outcomes - test.mean[horizon])[where]
    scores = np.abs(errors) / test.stdev[horizon][where]
    normal = NormalDist()
    inside = [float(np.mean(scores <= normal.inv_cdf((1 + level) / 2))) for level in _LEVELS]
    surplus = 100 * (np.array(inside) - _LEVELS)
    width = 2.2 if name == SERVED else 1.1
    label = name
    if name in BASELINES:
        label = "baselines" if name == BASELINES[0] else "_baseline"  # one entry in the legend
    axes.plot(100 * _LEVELS, surplus, color=colour_of(name), linewidth=width, label=label)
    for number, level in enumerate(INTERVAL_LEVELS):
        lower, upper = test.lower[number, horizon], test.upper[number, horizon]
        given = where & ~np.isnan(lower) & ~np.isnan(upper)
        if given.any():
            held = np.mean(((lower <= outcomes) & (outcomes <= upper))[given])
            axes.plot(100 * level, 100 * (held - level), "o", color=colour_of(name), markersize=5)
