"""What the search tried, and what came of it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml.plots.style import BLUE, INK, QUIET, VERMILION, new_figure, whole_numbers
from ml.work import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STATES = {"complete": ("o", BLUE), "pruned": ("x", QUIET), "fail": ("v", VERMILION)}
_LOG_FROM_RATIO = 8
_MOST_TICKS = 6


def search_history(trials: Sequence[Trial]) -> "Figure":
    """Return the lowest held-out loss of each trial in turn, and against each setting."""
    settings = list(trials[0].settings)
    columns = 1 + max(len(settings), 1)
    rows = math.ceil(columns / 4)
    figure, axes = new_figure(12, 2.9 * rows, rows=rows, columns=4, sharey=True)
    panels = [panel for row in axes for panel in row]
    _draw(panels[0], trials, [trial.number + 1 for trial in trials], labelled=True)
    _draw_best(panels[0], trials)
    panels[0].set_xlabel("trial, in order")
    whole_numbers(panels[0])
    panels[0].legend(fontsize=7, frameon=False)
    for panel, setting in zip(panels[1:], settings, strict=False):
        values = [trial.settings[setting] for trial in trials]
        if min(values) > 0 and max(values) > _LOG_FROM_RATIO * min(values):
            panel.set_xscale("log")
        if all(isinstance(value, int) for value in values) and len(set(values)) <= _MOST_TICKS:
            panel.set_xticks(sorted(set(values)), [str(value) for value in sorted(set(values))])
        panel.minorticks_off()
        _draw(panel, trials, values)
        panel.set_xlabel(setting)
    for panel in panels[columns:]:
        panel.set_visible(False)
    for row in axes:
        row[0].set_ylabel("lowest held-out loss")
    return figure


def _draw(
    axes: "Axes", trials: Sequence[Trial], places: Sequence[float], *, labelled: bool = False
) -> None:
    for state, (marker, colour) in _STATES.items():
        points = [
            (place, trial.held_out_loss)
            for trial, place in zip(trials, places, strict=True)
            if trial.state == state and trial.held_out_loss is not None
        ]
        if points:
            axes.plot(*zip(*points, strict=True), marker, color=colour, markersize=5,
                      label=state if labelled else None)  # fmt: skip


def _draw_best(axes: "Axes", trials: Sequence[Trial]) -> None:
    best, steps = math.inf, []
    for trial in trials:
        if trial.state == "complete" and trial.held_out_loss is not None:
            best = min(best, trial.held_out_loss)
        if math.isfinite(best):
            steps.append((trial.number + 1, best))
    if steps:
        axes.step(*zip(*steps, strict=True), where="post", color=INK, linewidth=0.9, label="best")
