"""Whether intervals of every level hold what they say."""

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from ml.plots.common import scored_test
from ml.plots.style import GRID, INK, SERVED, colour_of, label_line_ends, new_figure
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
        ends = [
            (_draw(panel, result, test, place, name), name, colour_of(name))
            for name, test in forecasts.items()
        ]
        low, high = panel.get_ylim()
        label_line_ends(panel, ends, least=(high - low) / 22)
        panel.set_title(f"{horizon} sessions ahead, test")
        panel.set_xlabel("level of the interval, %")
    axes[0][0].set_ylabel("outcomes inside, less the level, points")
    figure.text(0.01, 0.005, "lines: normal with calibrated stdev;  dots: adaptive conformal",
                fontsize=8, color=INK)  # fmt: skip
    figure.get_layout_engine().set(rect=(0, 0.04, 1, 0.96))
    return figure


def _draw(
    axes: "Axes", result: TrainingResult, test: OutOfSample, horizon: int, name: str
) -> float:
    where, outcomes = scored_test(result, horizon)
    errors = (outcomes - test.mean[horizon])[where]
    scores = np.abs(errors) / test.stdev[horizon][where]
    normal = NormalDist()
    inside = [float(np.mean(scores <= normal.inv_cdf((1 + level) / 2))) for level in _LEVELS]
    surplus = 100 * (np.array(inside) - _LEVELS)
    width = 2.2 if name == SERVED else 1.1
    axes.plot(100 * _LEVELS, surplus, color=colour_of(name), linewidth=width)
    for number, level in enumerate(INTERVAL_LEVELS):
        lower, upper = test.lower[number, horizon], test.upper[number, horizon]
        given = where & ~np.isnan(lower) & ~np.isnan(upper)
        if given.any():
            held = np.mean(((lower <= outcomes) & (outcomes <= upper))[given])
            axes.plot(100 * level, 100 * (held - level), "o", color=colour_of(name), markersize=5)
    return float(surplus[-1])
