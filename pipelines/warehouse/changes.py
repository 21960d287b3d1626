"""What differs between the inputs of two builds: per symbol, the first session that changed.

An earlier build, the *base*, is taken further only where its inputs were others. Everything that it
saw is still seen by a later session with later knowledge, so what differs is what became visible
since, and what was rejected or released since. Versions never change, so a file that the base saw
wholly needs no reading.

More may be named than really differs (a late version that an even later one overrules): that
costs time and changes no byte. Less never.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, PRICES, UNIVERSE
from models.vocabulary import MARKET_SYMBOLS
from pipelines.lake import Manifest, landed_files
from pipelines.lake.catalogue import LakeFile
from pipelines.lake.files import read_rows
from pipelines.lake.landed_rows import may_have_landed_with
from pipelines.lake.rows import codes
from pipelines.lake.summary import SESSION, VERSION, day_number, microseconds
from pipelines.lake.versions import Mask, is_among, newest_versions, within
from pipelines.settings import Settings

CHANGE = pa.schema([("symbol", pa.string()), ("first_session_date", pa.date32())])
"""Columns of the dbt source ``run.change``."""

_OF_BARS = (PRICES, ACTIONS)


@dataclass(frozen=True)
class Inputs:
    """What a build reads: its manifest, and per dataset the versions that do not count."""

    manifest: Manifest
    rejected: Mapping[str, pa.Table]


@dataclass(frozen=True)
class Changes:
    """What a build has to compute.

    Attributes
    ----------
    everything : why all symbols change from their first bar on; None if they do not.
    symbols : rows of ``CHANGE``, by symbol: those with other inputs than in the base, and the
        first session whose accepted bar, or whose actions, differ. It may be a session without a
        bar, or one that the symbol no longer has.
    """

    everything: str | None
    symbols: pa.Table


def everything(reason: str) -> Changes:
    """Return the changes that leave nothing of a base."""
    return Changes(reason, CHANGE.empty_table())


def changes_since(
    settings: Settings, base: Inputs, new: Inputs, base_symbols: Collection[str]
) -> Changes:
    """Compare the inputs of a build with those of a base of the same source.

    Parameters
    ----------
    base : its session and its cut are not later than those of ``new``.
    base_symbols : the symbols that have bars in the base.

    Raises
    ------
    LakeError
        A file is missing or damaged.
    """
    if reason := _lost_files(base.manifest, new.manifest) or _changed_ranking(
        settings, base, new, base_symbols
    ):
        return everything(reason)
    found = [_changed_versions(settings, table, base, new) for table in _OF_BARS]
    symbols = _first_sessions(found)
    if reason := _changed_market(symbols, base.manifest.session_date, base_symbols):
        return everything(reason)
    return Changes(None, symbols)


def _lost_files(base: Manifest, new: Manifest) -> str | None:
    kept = set(new.paths("raw"))
    lost = [path for path in base.paths("raw") if path not in kept]
    return f"the lake file {lost[0]} is no longer among the inputs" if lost else None


def _changed_ranking(
    settings: Settings, base: Inputs, new: Inputs, base_symbols: Collection[str]
) -> str | None:
    """Say whether a bar of the base could be ranked, or be among the ranked, otherwise than then.

    Ranks of a session are over all its members, so this concerns all symbols.
    """
    last = base.manifest.session_date
    if _memberships(settings, base, last) != _memberships(settings, new, last):
        return f"who was a member until {last} differs"
    before, now = _classes(settings, base), _classes(settings, new)
    for symbol in sorted(base_symbols):
        if before.get(symbol) != now.get(symbol):
            return f"{symbol} is of class {now.get(symbol)}, and was of {before.get(symbol)}"
    return None


def _memberships(settings: Settings, inputs: Inputs, last: dt.date) -> object:
    """Return who was a member when, up to a session, and whether the source knows members at all.

    A membership that has ended by then differs from one that has not; later ends are alike.
    """
    rows = _accepted(settings, UNIVERSE, inputs).to_pylist()
    spells = {
        (row["universe"], row["symbol"], row["member_from"], min(row["member_until"] or last, last))
        for row in rows
        if row["member_from"] <= last
    }
    return bool(rows), spells


def _classes(settings: Settings, inputs: Inputs) -> dict[str, str]:
    rows = _accepted(settings, INSTRUMENTS, inputs).select(["symbol", "asset_class"]).to_pylist()
    return {row["symbol"]: row["asset_class"] for row in rows}


def _accepted(settings: Settings, table: Table, inputs: Inputs) -> pa.Table:
    """Return the rows of a small dataset that a build goes by."""
    manifest = inputs.manifest
    files = _files(settings, table, manifest)
    rows = read_rows(settings, table, files)
    rows = rows.filter(pa.array(may_have_landed_with(files, rows, table)))
    rows = within(rows, table, manifest.session_date, manifest.known_at_cut)
    is_rejected = is_among(rows, inputs.rejected[table.name], table.key)
    return newest_versions(rows.filter(pa.array(~is_rejected)), table)


def _changed_versions(settings: Settings, table: Table, base: Inputs, new: Inputs) -> pa.Table:
    """Return symbol and session of versions that count in only one of the two builds, encoded."""
    before, now = base.rejected[table.name], new.rejected[table.name]
    seen = _seen_anew(settings, table, base.manifest, new.manifest)
    parts = [seen.filter(pa.array(~is_among(seen, now, table.key)))]
    for some, others in ((before, now), (now, before)):
        differs = ~is_among(some, others, table.key) & _is_seen(some, base.manifest)
        parts.append(some.filter(pa.array(differs)))
    schema = pa.schema([("symbol", pa.dictionary(pa.int32(), pa.string())), (SESSION, pa.date32())])
    return pa.concat_tables([part.select(schema.names).cast(schema) for part in parts])


def _seen_anew(settings: Settings, table: Table, base: Manifest, new: Manifest) -> pa.Table:
    """Return the keys of the rows that the new manifest's build sees and the base's did not."""
    files, seen = _files(settings, table, new), set(base.paths("raw", table))
    added = [file for file in files if file.path not in seen]
    split = [file for file in files if file.path in seen and not _is_wholly_seen(file, base)]
    parts = []
    for file in added:
        rows = read_rows(settings, table, [file], [*table.key, "ingest_session"])
        landed = may_have_landed_with([file], rows, table)
        parts.append(rows.filter(pa.array(landed)).select(table.key))
    rows = read_rows(settings, table, split, table.key)
    parts.append(rows.filter(pa.array(~_is_seen(rows, base))))
    both = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    return both.filter(pa.array(_is_seen(both, new)))


def _is_wholly_seen(file: LakeFile, manifest: Manifest) -> bool:
    return file.summary.last_day <= day_number(
        manifest.session_date
    ) and file.summary.last_known_at <= microseconds(manifest.known_at_cut)


def _is_seen(rows: pa.Table, manifest: Manifest) -> Mask:
    is_past = codes(rows[SESSION]) <= day_number(manifest.session_date)
    return is_past & (codes(rows[VERSION]) <= microseconds(manifest.known_at_cut))


def _files(settings: Settings, table: Table, manifest: Manifest) -> list[LakeFile]:
    named = set(manifest.paths("raw", table))
    return [file for file in landed_files(settings, "raw", table) if file.path in named]


def _first_sessions(versions: Iterable[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(versions).unify_dictionaries()
    first = rows.group_by("symbol").aggregate([(SESSION, "min")])
    plain = pa.table([first["symbol"].cast(pa.string()), first[f"{SESSION}_min"]], schema=CHANGE)
    return plain.sort_by("symbol")


def _changed_market(symbols: pa.Table, last: dt.date, base_symbols: Collection[str]) -> str | None:
    """Say whether what betas are measured against changed before the new sessions."""
    first = dict(zip(*(column.to_pylist() for column in symbols.columns), strict=True))
    for name in MARKET_SYMBOLS:
        if name in base_symbols:
            changed = name in first and first[name] <= last
            return f"the market {name} changed on {first[name]}" if changed else None
        if name in first:
            return f"the market is {name} from now on"
    return None
