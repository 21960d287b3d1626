"""Instruments and universes as data: one CSV file, bundled or the user's own.

A row is a membership: an instrument, described in full, and from when until when it belongs to a
universe. An instrument in several universes, or one that left and came back, has several rows that
describe it alike.
"""

import csv
import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.lake import INSTRUMENTS
from models.vocabulary import AssetClass
from pipelines.errors import SessionError, SourceError
from pipelines.ingest.provider import INSTRUMENT_SCHEMA, UNIVERSE_SCHEMA
from pipelines.sessions import parse_session

BUNDLED = Path(__file__).parent / "data" / "core_universe.csv"
"""Exchange-traded funds over the world's asset classes, and indices; a choice made in hindsight."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Universe:
    """Instruments as ``INSTRUMENT_SCHEMA`` and their memberships as ``UNIVERSE_SCHEMA``."""

    instruments: pa.Table
    memberships: pa.Table


def read_universe(path: Path | None = None) -> Universe:
    """Read a universe file, the bundled one if none is named.

    Raises
    ------
    SourceError
        The file cannot be read, is empty, or a row of it is not allowed; names the line.
    """
    path = path or BUNDLED
    rows = [_read_row(path, line, cells) for line, cells in _lines(path)]
    if not rows:
        raise _refused(path, "it names no instrument", "Give it a row for each instrument.")
    instruments = _instruments(path, rows)
    _check_memberships(path, rows)
    return Universe(
        pa.Table.from_pylist(instruments, INSTRUMENT_SCHEMA),
        pa.Table.from_pylist(
            [{name: row[name] for name in UNIVERSE_SCHEMA.names} for row in rows],
            UNIVERSE_SCHEMA,
        ),
    )


def _lines(path: Path) -> list[tuple[int, dict[str, str | None]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [name for name in _READERS if name not in (reader.fieldnames or ())]
            if missing:
                raise _refused(
                    path,
                    f"it has no column {', '.join(missing)}",
                    f"Its first line must be {','.join(_READERS)}, in any order.",
                )
            return [(reader.line_num, _whole(path, reader.line_num, cells)) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refused(path, f"it cannot be read ({error})", "Write it as CSV in UTF-8.") from None


def _whole(path: Path, line: int, cells: dict[str, str | None]) -> dict[str, str | None]:
    """Return the cells of a line, unless it has more of them than the first line."""
    if any(name is None for name in cells):
        raise _refused(path, f"line {line} has more cells than columns", "Quote texts with commas.")
    return cells


def _read_row(path: Path, line: int, cells: dict[str, str | None]) -> Row:
    row: Row = {}
    for name, read in _READERS.items():
        text = (cells[name] or "").strip()
        try:
            row[name] = read(text)
        except (ValueError, SessionError) as error:
            raise _refused(
                path, f"line {line}, {name} {text!r}: {error}", "Correct the line."
            ) from None
    until = row["member_until"]
    if row["member_from"] < row["first_session"] or (until and until < row["member_from"]):
        raise _refused(
            path,
            f"line {line}: first_session, member_from and member_until are not in this order",
            "Correct the line.",
        )
    return row


def _instruments(path: Path, rows: list[Row]) -> list[Row]:
    """Return each instrument once.

    Raises
    ------
    SourceError
        Two rows describe it differently, or the reference weights do not sum to 1.
    """
    found: dict[str, Row] = {}
    for row in rows:
        instrument = {name: row[name] for name in INSTRUMENT_SCHEMA.names}
        if found.setdefault(row["symbol"], instrument) != instrument:
            raise _refused(
                path, f"{row['symbol']} is described in two ways", "Describe it alike in all rows."
            )
    total = math.fsum(instrument["reference_weight"] for instrument in found.values())
    if abs(total - 1) > 1e-6:
        raise _refused(
            path, f"the reference weights sum to {total:g}", "Make them sum to 1 over all symbols."
        )
    return [found[symbol] for symbol in sorted(found)]


def _check_memberships(path: Path, rows: list[Row]) -> None:
    ordered = sorted(rows, key=lambda row: (row["universe"], row["symbol"], row["member_from"]))
    for before, after in pairwise(ordered):
        same = all(before[name] == after[name] for name in ("universe", "symbol"))
        until = before["member_until"]
        if same and (until is None or until >= after["member_from"]):
            raise _refused(
                path,
                f"{after['symbol']} is twice in universe {after['universe']} "
                f"on {after['member_from']}",
                "End one membership before the next begins.",
            )


def _refused(path: Path, problem: str, remedy: str) -> SourceError:
    return SourceError("universe file", path, problem, remedy)


def _word(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("it must not be empty")
    return text


def _symbol(text: str) -> str:
    if any(character.isspace() or character in "/?#%" for character in _word(text)):
        raise ValueError("it is no symbol")
    if text != text.upper():
        raise ValueError("symbols are written in capitals")
    return text


def _asset_class(text: str) -> str:
    try:
        return AssetClass(text).value
    except ValueError:
        raise ValueError(f"allowed are {', '.join(AssetClass)}") from None


def _currency(text: str) -> str:
    if len(text) != 3 or not (text.isascii() and text.isalpha() and text.isupper()):
        raise ValueError("it is no ISO 4217 code")
    return text


def _at_least(name: str, number: Callable[[str], float]) -> Callable[[str], float]:
    least = INSTRUMENTS[name].at_least or 0

    def read(text: str) -> float:
        value = number(text)
        if not (math.isfinite(value) and value >= least):
            raise ValueError(f"it must be {least:g} or more")
        return value

    return read


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text == "true"


def _session_or_none(text: str) -> dt.date | None:
    return parse_session(text) if text else None


_READERS: dict[str, Callable[[str], Any]] = {
    "universe": _word,
    "symbol": _symbol,
    "name": _word,
    "asset_class": _asset_class,
    "currency": _currency,
    "expense_ratio_bps": _at_least("expense_ratio_bps", int),
    "substitute_group": _word,
    "reference_weight": _at_least("reference_weight", float),
    "tradable": _truth,
    "first_session": parse_session,
    "member_from": parse_session,
    "member_until": _session_or_none,
}
