"""Pictures as inline SVG with captions: no library, no file beside the page, and sharp."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ml.plots.style import BLUE, GREEN, GRID, INK, QUIET, VERMILION

_WIDTH = 760
_LABELS = 210
_NUMBERS = 90
_ROW = 22
_AXIS = 22

Words = Callable[[float], str]


@dataclass(frozen=True)
class _Scale:
    """Where values stand from left to right."""

    least: float
    most: float

    def at(self, value: float) -> float:
        span = (self.most - self.least) or 1.0
        plot = _WIDTH - _LABELS - _NUMBERS
        return round(_LABELS + (value - self.least) / span * plot, 1)


def waterfall(steps: Mapping[str, float], total_name: str, words: Words, title: str) -> str:
    """Return signed steps, each beginning where the one before ends, and their sum below."""
    ends, at = [0.0], 0.0
    for value in steps.values():
        at += value
        ends.append(at)
    scale = _Scale(min(ends), max(ends))
    parts = [_line(scale.at(0), 0, scale.at(0), (len(steps) + 1) * _ROW, QUIET)]
    for row, (name, value) in enumerate(steps.items()):
        colour = BLUE if value >= 0 else VERMILION
        parts.append(_row_text(row, name, words(value) if value else "0"))
        if value:
            parts.append(_bar(scale, ends[row], ends[row + 1], row, colour))
        end = scale.at(ends[row + 1])
        parts.append(_line(end, row * _ROW + 4, end, (row + 1) * _ROW + 18, QUIET))
    parts.append(_row_text(len(steps), total_name, words(at), is_strong=True))
    parts.append(_bar(scale, 0.0, at, len(steps), INK))
    return _svg(parts, (len(steps) + 1) * _ROW + 6, title)


def beside(
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    words: Words,
    title: str,
) -> str:
    """Return bars of several series beside each other, names down the side.

    Values are at least 0; the words are those of the last series.
    """
    colours = (QUIET, BLUE, GREEN)
    thick = 7
    height = len(series) * thick + 8
    scale = _Scale(0.0, max((max(values) for values in series.values()), default=0.0))
    parts = _legend(dict(zip(series, colours, strict=False)))
    last = next(reversed(list(series.values())))
    for row, name in enumerate(names):
        top = _AXIS + row * height
        middle = top + height / 2 + 3
        parts.append(_text(_LABELS - 8, middle, name, "end"))
        parts.append(_text(_WIDTH, middle, words(last[row]), "end", "quiet"))
        for place, (values, colour) in enumerate(zip(series.values(), colours, strict=False)):
            width = round(scale.at(values[row]) - _LABELS, 1)
            parts.append(
                f'<rect x="{_LABELS}" y="{top + 4 + place * thick}" width="{max(width, 0.5)}" '
                f'height="{thick - 1}" fill="{colour}"/>'
            )
    return _svg(parts, _AXIS + len(names) * height, title)


@dataclass(frozen=True)
class Range:
    """A middle with a narrow and a wide range around it; None: it has no end there."""

    name: str
    middle: float
    narrow: tuple[float | None, float | None]
    wide: tuple[float | None, float | None]


def ranges(
    rows: Sequence[Range],
    words: Words,
    title: str,
    names: tuple[str, str, str],
    mark: tuple[float, str] | None = None,
) -> str:
    """Return middles as dots with their ranges as bars, and a mark across all of them.

    Parameters
    ----------
    names : of narrow, wide and middle, for the legend.
    mark : a value and what it is.
    """
    ends = [end for row in rows for end in (*row.narrow, *row.wide, row.middle) if end is not None]
    if mark is not None:
        ends.append(mark[0])
    scale = _Scale(min(ends), max(ends))
    bottom = _AXIS + len(rows) * _ROW
    narrow, wide, middle = names
    parts = _legend({narrow: BLUE, **({wide: "#a9cbe4"} if wide else {}), middle: INK})
    if mark is not None:
        value, name = mark
        parts.append(_line(scale.at(value), _AXIS, scale.at(value), bottom, VERMILION))
        parts.append(_text(scale.at(value), bottom + 14, name, "middle", "quiet"))
    for row, each in enumerate(rows):
        top = _AXIS + row * _ROW
        for (low, high), thick, colour in ((each.wide, 6, "#a9cbe4"), (each.narrow, 10, BLUE)):
            left = scale.at(scale.least if low is None else low)
            right = scale.at(scale.most if high is None else high)
            parts.append(
                f'<rect x="{left}" y="{top + 11 - thick / 2}" width="{round(right - left, 1)}" '
                f'height="{thick}" fill="{colour}"/>'
            )
        parts.append(f'<circle cx="{scale.at(each.middle)}" cy="{top + 11}" r="4.5" fill="{INK}"/>')
        parts.append(_text(_LABELS - 8, top + 15, each.name, "end"))
        parts.append(_text(_WIDTH, top + 15, words(each.middle), "end", "quiet"))
    return _svg(parts, bottom + (20 if mark else 4), title)


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg></figure>'
    )


def _bar(scale: _Scale, start: float, end: float, row: int, colour: str) -> str:
    left, right = sorted((scale.at(start), scale.at(end)))
    width = max(round(right - left, 1), 1.0)
    return f'<rect x="{left}" y="{row * _ROW + 4}" width="{width}" height="14" fill="{colour}"/>'


def _row_text(row: int, name: str, value: str, *, is_strong: bool = False) -> str:
    weight = ' font-weight="bold"' if is_strong else ""
    middle = row * _ROW + 15
    return (
        f"<g{weight}>{_text(_LABELS - 8, middle, name, 'end')}"
        f"{_text(_WIDTH, middle, value, 'end')}</g>"
    )


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y:g}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'


def _legend(colours: Mapping[str, str]) -> list[str]:
    parts, at = [], float(_LABELS)
    for name, colour in colours.items():
        parts.append(f'<rect x="{at}" y="3" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(at + 15, 12, name, "start"))
        at += 35 + 7 * len(name)
    return parts
