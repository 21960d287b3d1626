"""Data Docs: what Great Expectations said of each table, as pages under ``<home>/docs/quality``."""

import html
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from models.lake import RAW
from pipelines.lake import checked_files, write_text
from pipelines.lineage import json_digest
from pipelines.quality.listing import grouped
from pipelines.settings import Settings

_STAMP = "confirmed.txt"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #ccc;padding:.35rem .6rem;text-align:left;vertical-align:top}"
    ".bad{color:#a00}"
)


def folder(settings: Settings) -> Path:
    """Return the folder of the pages; ``index.html`` is the first."""
    return settings.home / "docs" / "quality" / settings.source.value


def is_documented(settings: Settings, rules: str) -> bool:
    """Say whether the pages speak of exactly what is checked now."""
    stamp = folder(settings) / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _state(settings, rules)


def write_pages(
    settings: Settings,
    rules: str,
    pages: Iterable[tuple[str, bool, str]],
    rejected: pa.Table,
    notes: Iterable[tuple[str, str]],
) -> Path:
    """Write the pages, an index with the quarantine and the notes, and what they speak of.

    Parameters
    ----------
    pages : name, whether every expectation held, and HTML of each suite's page.
    """
    home = folder(settings)
    links = []
    for name, success, content in pages:
        write_text(content, home / f"{name}.html")
        verdict = "all hold" if success else '<span class="bad">some fail</span>'
        links.append(f'<tr><td><a href="{name}.html">{name}</a></td><td>{verdict}</td></tr>')
    index = _index(settings, links, rejected, notes)
    path = write_text(index, home / "index.html")
    write_text(_state(settings, rules), home / _STAMP)
    return path


def _state(settings: Settings, rules: str) -> str:
    files = {table.name: sorted(checked_files(settings, table, rules)) for table in RAW}
    return json_digest([rules, files])


def _index(
    settings: Settings, links: list[str], rejected: pa.Table, notes: Iterable[tuple[str, str]]
) -> str:
    groups = [
        _row(one.symbol, one.rule, one.rows, one.first_session, one.last_session, one.reason)
        for one in grouped(rejected)
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Data quality</title>"
        f"<style>{_STYLE}</style><h1>Data quality of source {settings.source.value}</h1>"
        f"<h2>Suites</h2><table>{''.join(links)}</table>"
        f"<h2>Quarantine</h2><table><tr><th>symbol<th>rule<th>rows<th>first<th>last<th>reason"
        f"{''.join(groups)}</table>"
        f"<h2>Notes</h2><p>These reject nothing.</p>"
        f"<table>{''.join(_row(*note) for note in notes)}</table></html>"
    )


def _row(*cells: object) -> str:
    return f"<tr>{''.join(f'<td>{html.escape(str(cell))}' for cell in cells)}"
