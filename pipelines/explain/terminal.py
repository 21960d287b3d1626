"""An explanation on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.explain.document import Document, Grid, Section

_STYLES = {1: "bold reverse", 2: "bold", 3: "italic"}


def terminal_view(document: Document) -> RenderableType:
    """Return everything but the pictures, for rich to print."""
    parts: list[RenderableType] = [Text(f"Why: {document.title}", style="bold")]
    for section in document.sections:
        parts.extend(_section_view(section))
    return Group(*parts)


def _section_view(section: Section) -> list[RenderableType]:
    title = f" {section.title} " if section.level == 1 else section.title
    parts: list[RenderableType] = [Text(""), Text(title, style=_STYLES[section.level])]
    parts.extend(Text(paragraph) for paragraph in section.paragraphs)
    parts.extend(_table(grid) for grid in section.grids if grid.rows)
    return parts


def _table(grid: Grid) -> RenderableType:
    table = Table()
    first_numeric = len(grid.columns) - grid.numeric
    for place, column in enumerate(grid.columns):
        is_number = place >= first_numeric
        table.add_column(column, overflow="fold", justify="right" if is_number else "left")
    for row in grid.rows[: grid.most_on_terminal]:
        table.add_row(*map(Text, row))
    left = len(grid.rows) - table.row_count
    return Group(table, Text(f"and {left:,} more; --html shows all")) if left else table
