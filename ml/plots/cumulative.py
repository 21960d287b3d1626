"""Where in time forecasts gained on the expanding mean."""

from typing import TYPE_CHECKING

import numpy as np

from ml.evaluation import session_means
from ml.forecasters import BASELINES
from ml.plots.common import scored_test
from ml.plots.style import GRID, INK, SERVED, colour_of, label_line_ends, new_figure
from ml.results import TrainingResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BENCHMARK = "expanding_mean"
_DASHES = ("-", (0, (1, 1)), "--", "-.", (0, (4, 1, 1, 1)))


def cumulative_skill(result: TrainingResult) -> "Figure":
    """Return the running sum of the benchmark's squared errors less each model's, by session.

    A line that rises gains on the expanding mean, one that falls loses. The sum is in percent of
    all that the benchmark's squared errors add up to, so that a line ends at its out-of-sample R2
    (of session means).

    Source: Goyal and Welch (2008), "A comprehensive look at the empirical performance of equity
    premium prediction", figure 1.
    """
    horizons = result.plan.horizons
    figure, axes = new_figure(10, 3.6 * len(horizons), rows=len(horizons), sharex=True)
    means = {model.name: model.test.mean for model in result.models}
    means[SERVED] = result.served.test.mean
    positions = result[BENCHMARK].test.positions
    for number, horizon in enumerate(horizons):
        where, outcomes = scored_test(result, number)
        rows = where.any(axis=1)
        dates = result.sessions[positions[rows]].astype("datetime64[D]")
        losses = {
            name: session_means(
                np.where(where, np.square(outcomes - mean[number]), 0.0)[rows], where[rows]
            )
            for name, mean in means.items()
        }
        panel = axes[number][0]
        ends = []
        for name, own in losses.items():
            if name == BENCHMARK:
                continue
            gain = 100 * np.cumsum(losses[BENCHMARK] - own) / losses[BENCHMARK].sum()
            dash = _DASHES[BASELINES.index(name) % len(_DASHES)] if name in BASELINES else "-"
            panel.plot(dates, gain, color=colour_of(name), linestyle=dash,
                       linewidth=2.2 if name == SERVED else 1.2)  # fmt: skip
            ends.append((float(gain[-1]), name, colour_of(name)))
        panel.axhline(0.0, color=INK, linewidth=0.8)
        for fold in result.walk.folds[1:]:
            panel.axvline(result.sessions[fold.test[0]], color=GRID, linewidth=2, zorder=0)
        low, high = panel.get_ylim()
        label_line_ends(panel, ends, least=(high - low) / 18)
        panel.set_title(f"{horizon} sessions ahead (grey: the next fold's test begins)")
        panel.set_ylabel("gained on the expanding mean, %")
        panel.margins(x=0.0)
    return figure
