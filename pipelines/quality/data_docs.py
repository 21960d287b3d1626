"""Data Docs: what Great Expectations said of each table, as pages under ``docs/quality``.

They lie in the home, or in the lake where machines share it: who checks need not be who shows. The
first page, with the quarantine and the notes, is written at every check and needs nobody's
word; the suites' pages only when rules or verdicts changed.
"""

import html
import json
import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from models.lake import RAW
from pipelines.handed_on import handed_on
from pipelines.lake import checked_files
from pipelines.lake.quarantine import verdict_files
from pipelines.lineage import canonical_json, json_digest
from pipelines.quality.listing import grouped
from pipelines.settings import Settings

_STAMP = "confirmed.json"
_PAGE = re.compile(r"[A-Za-z0-9_]+\.html")
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #ccc;padding:.35rem .6rem;text-align:left;vertical-align:top}"
    ".bad{color:#a00}"
)


def folder(settings: Settings) -> str:
    """Return the folder of the pages, in the home or a shared lake; ``index.html`` is the first."""
    return f"docs/quality/{settings.source.value}"


def read_page(settings: Settings, name: str) -> str | None:
    """Return a page's HTML; None where there is none of that name.

    Parameters
    ----------
    name : of the page's file; may come from anywhere, such as an address that somebody typed.

    Raises
    ------
    LakeError
        The place where the pages are cannot be read.
    """
    if not _PAGE.fullmatch(name):
        return None
    try:
        return handed_on(settings).read_bytes(f"{folder(settings)}/{name}").decode()
    except FileNotFoundError:
        return None


def is_confirmed(settings: Settings, rules: str) -> bool:
    """Say whether the suites' pages speak of today's rules and of all that they reject."""
    return _stamp(settings).get("state") == _state(settings, rules)


def write_suites(settings: Settings, rules: str, pages: Iterable[tuple[str, bool, str]]) -> None:
    """Write the suites' pages, and what they speak of.

    Parameters
    ----------
    pages : name, whether every expectation held, and HTML of each suite's page.
    """
    place, where = handed_on(settings), folder(settings)
    held = {}
    for name, success, content in pages:
        place.write(f"{where}/{name}.html", content.encode())
        held[name] = success
    stamp = canonical_json({"state": _state(settings, rules), "held": held})
    place.write(f"{where}/{_STAMP}", stamp.encode())


def write_index(settings: Settings, rejected: pa.Table, notes: Iterable[tuple[str, str]]) -> None:
    """Write the first page: links to the suites, the quarantine and the notes."""
    links = []
    for name, success in sorted(_stamp(settings).get("held", {}).items()):
        verdict = "all hold" if success else '<span class="bad">some fail</span>'
        links.append(f'<tr><td><a href="{name}.html">{name}</a></td><td>{verdict}</td></tr>')
    page = _index(settings, links, rejected, notes)
    handed_on(settings).write(f"{folder(settings)}/index.html", page.encode())


def _stamp(settings: Settings) -> dict[str, Any]:
    try:
        content = handed_on(settings).read_bytes(f"{folder(settings)}/{_STAMP}")
    except FileNotFoundError:
        return {}
    found: dict[str, Any] = json.loads(content)
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
