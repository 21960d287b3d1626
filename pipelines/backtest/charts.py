"""The page's pictures: wealth, drawdown, what a portfolio held, and the confidence in views."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ml.plots.style import (
    BLUE,
    GREEN,
    INK,
    PURPLE,
    QUIET,
    SKY,
    VERMILION,
    label_line_ends,
    new_figure,
)
from models.vocabulary import AllocationView
from pipelines.backtest.output import Backtest
from pipelines.backtest.results import middle_score
from pipelines.backtest.statistics import drawdowns
from pipelines.backtest.strategies import Strategy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EVERY = 5
"""Sessions between two points of a line: what a screen can show of thirty years."""

_ALIKE, _ALIKE_AT_ZERO = 0.01, 0.002
"""Lines that never differ by more, relative and absolute, cannot be told apart."""

_LABEL_STEP = 0.06
_ORANGE, _YELLOW = "#e69f00", "#c9b800"
_BANDS = (BLUE, VERMILION, GREEN, PURPLE, SKY, _ORANGE, _YELLOW, "#7a5195", "#8c6d31", "#555555")
_LINES = {
    "equal_weight": QUIET,
    "sixty_forty": SKY,
    "minimum_variance": GREEN,
    "reference": _ORANGE,
    AllocationView.LSTM: VERMILION,
    AllocationView.MA: PURPLE,
    AllocationView.NONE: BLUE,
}


def wealth_chart(backtest: Backtest) -> str:
    """Return the growth of 1 dollar on a logarithmic axis, as SVG."""
    figure, [[axes]] = new_figure(10, 4.6)
    lines = _lines(backtest, backtest.walk.wealth)
    axes.set_yscale("log")
    axes.set_ylabel("worth of 1 dollar, net of costs")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda _value, _: "")
    _draw(axes, backtest, lines)
    _label_ends_in_logs(axes, lines)
    return _svg(figure)


def drawdown_chart(backtest: Backtest) -> str:
    """Return how far below its highest each portfolio was, as SVG."""
    figure, [[axes]] = new_figure(10, 3.4)
    axes.set_ylabel("below the highest so far")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _draw(axes, backtest, _lines(backtest, drawdowns(backtest.walk.wealth)))
    axes.legend(ncols=3, fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1))
    return _svg(figure)


def weights_chart(backtest: Backtest, strategy: Strategy) -> str:
    """Return the weights by class after each rebalance, cash on top, as SVG."""
    walk, history = backtest.walk, backtest.history
    of_symbol = [history.instruments[symbol].asset_class for symbol in history.symbols]
    weights = walk.weights[:, walk.strategies.index(strategy)]
    classes = sorted({name for name, held in zip(of_symbol, weights.T, strict=True) if held.any()})
    bands = [weights[:, [name == each for name in of_symbol]].sum(axis=1) for each in classes]
    bands.append(np.maximum(1 - np.sum(bands, axis=0), 0.0))
    figure, [[axes]] = new_figure(10, 3.0)
    colours = [_BANDS[number % len(_BANDS)] for number in range(len(classes))]
    axes.stackplot(
        history.sessions[walk.decided + 1],
        *bands,
        labels=[*(name.replace("_", " ") for name in classes), "cash"],
        colors=[*colours, "#eeeeee"],
        linewidth=0,
    )
    axes.set_ylim(0, 1)
    axes.margins(x=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], labels[::-1], fontsize=8, frameon=False,
        loc="center left", bbox_to_anchor=(1.01, 0.5),
    )  # fmt: skip
    return _svg(figure)


def _lines(backtest: Backtest, values: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    """Return title, colour and values of what is drawn: the middle score and the benchmarks.

    Of strategies that are the same to the eye, the first alone, with the titles of all.
    """
    strategies = backtest.walk.strategies
    shown = [None, middle_score(strategies)]
    lines: list[tuple[str, str, np.ndarray]] = []
    for strategy in sorted(strategies, key=_prominence):
        line = values[:, strategies.index(strategy)]
        if strategy.score not in shown:
            continue
        same = [
            place
            for place, (_, _, other) in enumerate(lines)
            if np.allclose(line, other, rtol=_ALIKE, atol=_ALIKE_AT_ZERO)
        ]
        if same:
            title, colour, other = lines[same[0]]
            alone = strategy.title.rpartition(", ")[2]
            lines[same[0]] = f"{title} = {alone}", colour, other
        else:
            colour = _LINES[strategy.view or strategy.key]
            lines.append((strategy.title, colour, line))
    return lines


def _prominence(strategy: Strategy) -> int:
    """Return the order of drawing: no view first, then other views, then benchmarks."""
    if strategy.view is AllocationView.NONE:
        return 0
    return 1 if strategy.view else 2


def _draw(axes: "Axes", backtest: Backtest, lines: Sequence[tuple[str, str, np.ndarray]]) -> None:
    last = len(backtest.sessions) - 1
    rows = np.append(np.arange(0, last, _EVERY), last)
    for title, colour, values in reversed(lines):
        is_ours = title.startswith("score")
        axes.plot(
            backtest.sessions[rows], values[rows], color=colour, label=title,
            linewidth=1.5 if is_ours else 0.9, alpha=1.0 if is_ours else 0.85,
        )  # fmt: skip
    axes.margins(x=0)


def _label_ends_in_logs(axes: "Axes", lines: Sequence[tuple[str, str, np.ndarray]]) -> None:
    """Write each name beside the end of its line, apart by equal steps of the axis."""
    low, high = np.log(axes.get_ylim())
    ends = [
        ((float(np.log(values[-1])) - low) / (high - low), title, colour)
        for title, colour, values in lines
    ]
    beside = axes.twinx()
    beside.set_ylim(0, 1)
    beside.set_yticks([])
    beside.spines[["top", "right", "left", "bottom"]].set_visible(False)
    label_line_ends(beside, ends, _LABEL_STEP)


def _svg(figure: "Figure") -> str:
    """Return a figure as SVG that stands in a page, the same bytes for the same figure."""
    import matplotlib as mpl

    target = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "smartinvest", "text.color": INK}):
        figure.savefig(target, format="svg", metadata={"Date": None})
    text = target.getvalue()
    return text[text.index("<svg") :]
