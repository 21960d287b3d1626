"""Data Docs: what Great Expectations said of each table, as pages under ``<home>/docs/quality``.

The first page, with the quarantine and the notes, is written at every check and needs nobody's
word; the suites' pages only when rules or verdicts changed.
"""

import html
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.lake import RAW
from pipelines.lake import checked_files, write_text
from pipelines.lake.quarantine import verdict_files
from pipelines.lineage import canonical_json, json_digest
from pipelines.quality.listing import grouped
from pipelines.settings import Settings

_STAMP = "confirmed.json"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #ccc;padding:.35rem .6rem;text-align:left;vertical-align:top}"
    ".bad{color:#a00}"
)


def folder(settings: Settings) -> Path:
    """Return the folder of the pages; ``index.html`` is the first."""
    return settings.home / "docs" / "quality" / settings.source.value


def is_confirmed(settings: Settings, rules: str) -> bool:
    """Say whether the suites' pages speak of today's rules and of all that they reject."""
    return _stamp(settings).get("state") == _state(settings, rules)


def write_suites(settings: Settings, rules: str, pages: Iterable[tuple[str, bool, str]]) -> None:
    """Write the suites' pages, and what they speak of.

    Parameters
    ----------
    pages : name, whether every expectation held, and HTML of each suite's page.
    """
    home = folder(settings)
    held = {}
    for name, success, content in pages:
        write_text(content, home / f"{name}.html")
        held[name] = success
    write_text(canonical_json({"state": _state(settings, rules), "held": held}), home / _STAMP)


def write_index(settings: Settings, rejected: pa.Table, notes: Iterable[tuple[str, str]]) -> Path:
    """Write the first page: links to the suites, the quarantine and the notes."""
    links = []
    for name, success in sorted(_stamp(settings).get("held", {}).items()):
        verdict = "all hold" if success else '<span class="bad">some fail</span>'
        links.append(f'<tr><td><a href="{name}.html">{name}</a></td><td>{verdict}</td></tr>')
    return write_text(_index(settings, links, rejected, notes), folder(settings) / "index.html")


def _stamp(settings: Settings) -> dict[str, Any]:
    path = folder(settings) / _STAMP
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


def _state(settings: Settings, rules: str) -> str:
    """Return a digest of the rules and the verdicts, and of whether there is anything at all."""
    said = {
        table.name: [
            bool(checked_files(settings, table, rules)),
            sorted(file.path for file in verdict_files(settings, table, rules)),
        ]
        for table in RAW
    }
    return json_digest([rules, said])


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
