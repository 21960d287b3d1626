"""The lake's side of the page: how fresh each source is, and which symbols are late or frozen."""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from models.vocabulary import Source
from pipelines.operate.due import runs_by_itself
from pipelines.operations.panels import Badge, Cell, Grid, Panel, Verdict
from pipelines.operations.words import count
from pipelines.quality.freshness import Freshness, freshness
from pipelines.quality.notes import left
from pipelines.quality.recent import Recent, recent
from pipelines.settings import Settings
from pipelines.wording import some

_FAR_BEHIND_SESSIONS = 2
"""The newest session may be on its way; two that lack are a source that does not answer."""


@dataclass(frozen=True)
class SymbolsOfSource:
    """Symbols as of a source's newest session: behind it (with their last bar), and frozen."""

    late: dict[str, dt.date]
    frozen: tuple[str, ...]
    symbols: int


def symbols_of(settings: Settings, session: dt.date) -> SymbolsOfSource:
    """Return which symbols are late or frozen as of a session.

    A symbol that left its universe is not late. One without any bar in a year is no bar's symbol
    here; Data Docs names it.

    Raises
    ------
    LakeError
        A file of the lake is broken.
    """
    last = recent(settings, session)
    gone = left(settings, session)
    return SymbolsOfSource(
        {symbol: day for symbol, day in _behind(last).items() if symbol not in gone},
        tuple(symbol for symbol in last.frozen() if symbol not in gone),
        len(last.symbols),
    )


def _behind(last: Recent) -> dict[str, dt.date]:
    places = last.delivered.shape[1] - 1 - np.argmax(last.delivered[:, ::-1], axis=1)
    newest = places.max(initial=0)
    return {
        symbol: last.sessions[place]
        for symbol, place in zip(last.symbols, places, strict=True)
        if place < newest
    }


def freshness_panel(settings: Settings, now: dt.datetime) -> Panel:
    """Show each source's newest session, how far it is behind, and its late symbols."""
    found = freshness(settings, now)
    rows: list[list[Cell]] = []
    for source in found:
        own = settings.model_copy(update={"source": source.source})
        late = symbols_of(own, source.newest_session).late
        rows.append(
            [
                f"{source.source}{' (in use)' if source.source is settings.source else ''}",
                str(source.newest_session),
                Badge(f"{source.sessions_behind:,}", _verdict(source)),
                str(source.last_ingest_session),
                some([f"{symbol} ({day})" for symbol, day in sorted(late.items())]) or "none",
                "by themselves" if runs_by_itself(source.source) else "when somebody brings them",
            ]
        )
    used = next((each for each in found if each.source is settings.source), None)
    columns = (
        "source",
        "newest session",
        "#sessions behind",
        "last ingest was for",
        "late symbols",
        "new sessions",
    )
    return Panel(
        "freshness",
        "Freshness",
        _verdict(used) if used else Verdict.UNKNOWN,
        _headline(used, settings.source),
        (Grid(columns, rows),),
    )


def _verdict(source: Freshness) -> Verdict:
    if not runs_by_itself(source.source) or source.sessions_behind == 0:
        return Verdict.GOOD
    late = source.sessions_behind >= _FAR_BEHIND_SESSIONS
    return Verdict.BAD if late else Verdict.ATTENTION


def _headline(used: Freshness | None, source: Source) -> str:
    if used is None:
        return f"no prices of {source} yet"
    if not runs_by_itself(source):
        return f"{source} through {used.newest_session}; it is not polled"
    if used.sessions_behind == 0:
        return f"{source} through {used.newest_session}"
    return f"{source} {count(used.sessions_behind, 'session')} behind"


def frozen_panel(settings: Settings, now: dt.datetime) -> Panel:
    """Show the symbols whose bars are rejected, so that they keep their last accepted close."""
    used = [each for each in freshness(settings, now) if each.source is settings.source]
    if not used:
        return Panel("frozen", "Frozen symbols", Verdict.UNKNOWN, "no prices yet")
    session = used[0].newest_session
    found = symbols_of(settings, session)
    names = list(found.frozen)
    return Panel(
        "frozen",
        "Frozen symbols",
        Verdict.ATTENTION if names else Verdict.GOOD,
        f"{len(names):,} of {count(found.symbols, 'symbol')} as of {session}",
        notes=(
            (
                f"They keep their last accepted close: {some(names, 60)}. "
                "`smartinvest quarantine list --symbol SYM` says why, and the remedy.",
            )
            if names
            else ()
        ),
    )
