"""What all pictures share: colours by model, sizes, quiet axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#222222"
QUIET = "#8a8a8a"
GRID = "#e4e4e4"

# Hues that stay apart for colour-blind readers (Okabe and Ito, "Color universal design", 2008).
BLUE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"

SERVED = "served"

_COLOURS = {
    "ridge": BLUE,
    "lightgbm": GREEN,
    "lstm": VERMILION,
    "average": PURPLE,
    SERVED: INK,
}


def colour_of(model: str) -> str:
    """Return a model's colour in every picture; baselines are grey."""
    return _COLOURS.get(model, QUIET)


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, **options: Any
) -> "tuple[Figure, Sequence[Sequence[Axes]]]":
    """Return a figure, sizes in inches, and its axes by row and column."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for each in axes.flat:
        each.spines[["top", "right"]].set_visible(False)
        each.spines[["left", "bottom"]].set_color(QUIET)
        each.tick_params(colors=INK, labelsize=8, length=3)
        each.grid(color=GRID, linewidth=0.6)
        each.set_axisbelow(True)
        each.title.set_fontsize(10)
        each.xaxis.label.set_fontsize(9)
        each.yaxis.label.set_fontsize(9)
    return figure, axes


def whole_numbers(axes: "Axes") -> None:
    """Mark whole numbers alone on the axis below."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def label_line_ends(axes: "Axes", ends: Sequence[tuple[float, str, str]], least: float) -> None:
    """Write names beside the right ends of lines, moved apart where they would overlap.

    ``ends`` holds height, name and colour; ``least`` is the distance kept, in units of the axis.
    """
    place = float("-inf")
    for height, name, colour in sorted(ends):
        place = max(height, place + least)
        axes.annotate(
            name,
            xy=(1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colour,
            annotation_clip=False,
        )
