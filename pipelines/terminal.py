"""How results look on a terminal."""

import dataclasses
from collections.abc import Iterable, Mapping
from enum import Enum

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text


def report_view(report: object) -> RenderableType:
    """Return a stage's report as a table of fields and values.

    A report that has a form of its own, and anything else than a dataclass, is left to rich.
    """
    if hasattr(report, "__rich__") or not dataclasses.is_dataclass(report):
        return report
    fields = dataclasses.fields(report)
    rows = [(field.name.replace("_", " "), getattr(report, field.name)) for field in fields]
    return text_table(["field", "value"], rows, title=type(report).__name__)


def text_table(
    columns: Iterable[str], rows: Iterable[Iterable[object]], *, title: str | None = None
) -> Table:
    """Return a table whose cells are wrapped, never cut, and taken literally."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row))
    return table


def shown(value: object) -> str:
    """Return a value as a person reads it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Enum():
            return str(value.value)
        case int():
            return f"{value:,}"
        case Mapping():
            return (
                "\n".join(f"{shown(key)}: {shown(part)}" for key, part in value.items()) or "none"
            )
        case tuple() | list():
            return ", ".join(map(shown, value)) or "none"
        case _:
            return str(value)
