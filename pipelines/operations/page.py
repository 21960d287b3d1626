"""Panels as one HTML page that needs nothing but itself; whatever a value holds, it is text."""

import datetime as dt
from collections.abc import Sequence
from html import escape
from pathlib import Path

from pipelines.operate.framed_page import SCRIPT
from pipelines.operations.panels import Badge, Cell, Grid, Link, Panel, worst
from pipelines.operations.words import moment

_STYLE = Path(__file__).with_name("page.css").read_text("utf-8")
_SHOWN_AT_ONCE = {"chain", "advice", "freshness"}
"""Panels that stand open whatever their verdict."""


def operations_page(panels: Sequence[Panel], now: dt.datetime, source: str) -> str:
    """Return the page: a line for each subject at the top, then what is behind each."""
    shown = [panel for panel in panels if panel.headline]
    tiles = "".join(
        f'<a class="tile {panel.verdict}" href="#{panel.key}"><b>{escape(panel.title)}</b>'
        f"<span>{escape(panel.headline)}</span></a>"
        for panel in shown
    )
    overall = worst([panel.verdict for panel in shown])
    said = {
        "good": "all is well",
        "attention": "look at what is marked",
        "bad": "something is wrong",
        "unknown": "not everything is known",
    }[overall]
    head = (
        f'<header><h1><span class="badge {overall}">{said}</span></h1>'
        f"<p>source {escape(source)}, as of {moment(now)} · "
        '<a href="">load again</a></p></header>'
    )
    body = "".join(_section(panel) for panel in panels)
    return _html("Operations", f'{head}<nav class="tiles">{tiles}</nav>{body}')


def framed(title: str, panels: Sequence[Panel], base: str, now: dt.datetime) -> str:
    """Return a page below the first one, with a way back to it."""
    head = (
        f'<header><h1>{escape(title)}</h1><p><a href="{escape(base)}/">back</a> · as of '
        f"{moment(now)}</p></header>"
    )
    body = "".join(_section(panel, always_open=True) for panel in panels)
    return _html(title, head + body)


def message_page(why: str, base: str) -> str:
    """Return a page that says why there is nothing to show."""
    said = f'<p>{escape(why)}</p><p><a href="{escape(base)}/">back</a></p>'
    return _html("Operations", said)


def _section(panel: Panel, *, always_open: bool = False) -> str:
    is_open = always_open or panel.key in _SHOWN_AT_ONCE or panel.verdict != "good" or panel.links
    headline = (
        f'<span class="badge {panel.verdict}">{escape(panel.headline)}</span>'
        if panel.headline
        else ""
    )
    notes = "".join(f"<p>{_with_code(note)}</p>" for note in panel.notes)
    links = "".join(f"<li>{_cell(link)}</li>" for link in panel.links)
    return (
        f'<details id="{panel.key}"{" open" if is_open else ""}>'
        f"<summary><h2>{escape(panel.title)}</h2> {headline}</summary>"
        f"{notes}{''.join(_table(grid) for grid in panel.grids if grid.rows)}"
        f"{f'<ul>{links}</ul>' if links else ''}</details>"
    )


def _table(grid: Grid) -> str:
    numbers = [name.startswith("#") for name in grid.columns]
    kinds = [' class="number"' if is_number else "" for is_number in numbers]
    names = [name.removeprefix("#") for name in grid.columns]
    head = "".join(
        f"<th{kind}>{escape(name)}</th>" for name, kind in zip(names, kinds, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            # The name stands before each value where a narrow screen shows a row as a list.
            f'<td{kind} data-name="{escape(name)}">{_cell(cell)}</td>'
            for cell, kind, name in zip(row, kinds, names, strict=True)
        )
        + "</tr>"
        for row in grid.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Badge):
        return f'<span class="badge {cell.verdict}">{escape(cell.text)}</span>'
    if isinstance(cell, Link):
        leaves = f' data-leaves="{escape(cell.leaves)}"' if cell.leaves else ""
        target = ' target="_blank" rel="noopener"' if cell.leaves == "_blank" else ""
        return f'<a href="{escape(cell.href)}"{leaves}{target}>{escape(cell.text)}</a>'
    return _with_code(cell)


def _with_code(note: str) -> str:
    """Escape a text and show what stands between backquotes as code."""
    parts = escape(note).split("`")
    return "".join(
        f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)
    )


def _html(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><script>{SCRIPT}</script></head>"
        f"<body>{body}</body></html>\n"
    )
