"""What the lake holds, as it was known at any time."""

import datetime as dt
from typing import Annotated

import typer
from rich.text import Text

from pipelines.cli.common import SessionOption, SourceOption, out
from pipelines.errors import LakeError
from pipelines.settings import Settings, load_settings
from pipelines.terminal import text_table

_PRICE_COLUMNS = ("session_date", "open", "high", "low", "close", "volume", "known_at")
_CHANGE_COLUMNS = (
    "subject",
    "day",
    "column",
    "old_value",
    "new_value",
    "old_known_at",
    "new_known_at",
)

KnownAtOption = Annotated[
    str | None,
    typer.Option(
        metavar="MOMENT",
        help="Leave out what was known later, e.g. 2024-05-31T21:00+00:00; else what a run "
        "of the session knows.",
    ),
]

app = typer.Typer(help="Market data as it was known at any time.", no_args_is_help=True)


@app.command()
def prices(
    symbol: Annotated[str, typer.Argument(help="The provider's symbol.")],
    session: SessionOption = None,
    source: SourceOption = None,
    known_at: KnownAtOption = None,
    adjust: Annotated[
        str, typer.Option(metavar="none|split|total-return", help="In whose terms prices are.")
    ] = "none",
    last: Annotated[int, typer.Option(min=1, help="How many sessions to show.")] = 20,
) -> None:
    """Show a symbol's accepted prices as a run of a session sees them."""
    from pipelines.lake.adjustment import Adjustment
    from pipelines.lake.views import prices_as_of

    settings = load_settings(source=source)
    adjustment = _choice(adjust, [member.value for member in Adjustment])
    day = _session(settings, session)
    rows = prices_as_of(settings, [symbol], day, _moment(known_at), Adjustment(adjustment))
    if rows.num_rows == 0:
        out.print(Text(f"nothing of {symbol} is known to a run of {day}"))
        return
    shown = rows.slice(max(0, rows.num_rows - last)).select(_PRICE_COLUMNS)
    out.print(text_table(_PRICE_COLUMNS, (row.values() for row in shown.to_pylist())))
    first, final = rows["session_date"][0].as_py(), rows["session_date"][-1].as_py()
    out.print(Text(f"{symbol}: {rows.num_rows:,} sessions from {first} to {final}"))


@app.command()
def restatements(
    symbol: Annotated[str | None, typer.Option(help="Only this symbol or series.")] = None,
    source: SourceOption = None,
) -> None:
    """List what sources said differently later: old value, new value, when each was known."""
    from models.lake import RAW
    from pipelines.lake import restatements as restatements_of

    settings = load_settings(source=source)
    found = False
    for table in RAW:
        rows = restatements_of(settings, table, None if symbol is None else [symbol])
        if rows.num_rows:
            found = True
            cells = (row.values() for row in rows.select(_CHANGE_COLUMNS).to_pylist())
            out.print(text_table(_CHANGE_COLUMNS, cells, title=table.name))
    if not found:
        out.print(Text("nothing was restated"))


@app.command()
def compact(source: SourceOption = None) -> None:
    """Merge small files; no answer changes. What is merged is removed the next time."""
    from pipelines.cli.common import show
    from pipelines.lake import compact as compact_source

    show(compact_source(load_settings(source=source)))


@app.command()
def files(source: SourceOption = None) -> None:
    """List each dataset's files: how many, their rows, and the sessions that they speak of."""
    from models.lake import RAW
    from pipelines.lake.listing import dataset_lines

    settings = load_settings(source=source)
    columns = ("dataset", "landed", "to read", "rows", "restated", "sessions", "last known at")
    lines = (dataset_lines(settings, table) for table in RAW)
    out.print(text_table(columns, (line for line in lines if line)))


@app.command()
def sql(
    dataset: Annotated[str, typer.Argument(help="One of those that `lake files` lists.")],
    session: SessionOption = None,
    source: SourceOption = None,
    known_at: KnownAtOption = None,
) -> None:
    """Print the DuckDB query that shows a dataset as a run of a session sees it, unchecked."""
    from models.lake import RAW
    from pipelines.lake.views import view_sql

    settings = load_settings(source=source)
    tables = {table.name: table for table in RAW}
    table = tables[_choice(dataset, list(tables))]
    query = view_sql(settings, table, _session(settings, session), _moment(known_at))
    out.print(Text(query), soft_wrap=True)


def _session(settings: Settings, session: str | None) -> dt.date:
    """Return the session asked for, or the newest that the lake has prices for."""
    from models.lake import PRICES
    from pipelines.lake.listing import newest_session
    from pipelines.sessions import parse_session

    if session is not None:
        return parse_session(session)
    if settings.session is not None:
        return settings.session
    newest = newest_session(settings, PRICES)
    if newest is None:
        raise LakeError(
            "source",
            settings.source.value,
            "the lake has no prices of it",
            "Run `smartinvest ingest` first.",
        )
    return newest


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter("write a moment with its offset, as 2024-05-31T21:00+00:00")
    return moment


def _choice(text: str, allowed: list[str]) -> str:
    if text not in allowed:
        raise typer.BadParameter(f"use one of {', '.join(allowed)}")
    return text
