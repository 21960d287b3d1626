"""What terminal and page both show: sections of paragraphs, tables and pictures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes
    ----------
    numeric : how many of the last columns are numbers, set to the right.
    most_on_terminal : rows that a terminal shows; the page shows all.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: int = 0
    most_on_terminal: int | None = None


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it, in this order.

    Attributes
    ----------
    level : 1 for a run or an account, 2 for its parts, 3 for each of several things.
    chart : inline SVG, for the page alone.
    """

    title: str
    level: int = 2
    paragraphs: tuple[str, ...] = ()
    chart: str | None = None
    grids: tuple[Grid, ...] = ()


@dataclass(frozen=True)
class Document:
    """An explanation in words, ready to be shown."""

    title: str
    sections: tuple[Section, ...]
