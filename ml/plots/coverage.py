"""How much of what came lay inside the intervals, year by year."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml.plots.style import BLUE, INK, VERMILION, new_figure, whole_numbers
from ml.scores import YearCoverage
from models.vocabulary import INTERVAL_LEVELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (BLUE, VERMILION)


def coverage_by_year(coverage: Sequence[YearCoverage], name: str) -> "Figure":
    """Return coverage by year of all levels, a panel per horizon.

    Bars span 95 % of what chance allows intervals that hold their level, by a block bootstrap; the
    dot is what came, ringed where it lies outside of that.
    """
    horizons = sorted({each.horizon_sessions for each in coverage})
    figure, axes = new_figure(10, 3.8, columns=max(len(horizons), 1), sharey=True)
    for place, horizon in enumerate(horizons):
        panel = axes[0][place]
        for level, colour in zip(INTERVAL_LEVELS, _COLOURS, strict=True):
            rows = [
                each for each in coverage if (each.horizon_sessions, each.level) == (horizon, level)
            ]
            _draw(panel, rows, level, colour)
        panel.set_title(f"{name}, {horizon} sessions ahead")
        panel.set_xlabel("year of the forecast")
    axes[0][0].set_ylabel("share of outcomes inside, %")
    if horizons:
        figure.legend(
            *axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4,
            fontsize=8, frameon=False,
        )  # fmt: skip
    return figure


def _draw(axes: "Axes", rows: Sequence[YearCoverage], level: float, colour: str) -> None:
    years = [row for row in rows if row.year is not None]
    shift = -0.12 if level == INTERVAL_LEVELS[0] else 0.12
    axes.axhline(100 * level, color=colour, linewidth=0.9)
    for number, row in enumerate(years):
        place = (row.year or 0) + shift
        is_outside = False
        if row.lowest is not None and row.highest is not None:
            is_outside = not row.lowest <= row.coverage <= row.highest
            axes.plot([place, place], [100 * row.lowest, 100 * row.highest], color=colour,
                      alpha=0.3, linewidth=6, solid_capstyle="butt",
                      label=f"{100 * level:.0f} %: what chance allows" if number == 0 else None,
                      )  # fmt: skip
        axes.plot(place, 100 * row.coverage, "o", color=colour, markersize=5,
                  markeredgecolor=INK if is_outside else colour, markeredgewidth=1.4,
                  label=f"{100 * level:.0f} % intervals" if number == 0 else None)  # fmt: skip
    whole_numbers(axes)
