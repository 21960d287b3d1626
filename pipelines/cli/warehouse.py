"""What became of the warehouse's builds, and pictures of what they hold."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import SessionOption, out
from pipelines.errors import WarehouseError
from pipelines.settings import Settings, load_settings

app = typer.Typer(
    help="The warehouse's builds, and pictures of what they hold.", no_args_is_help=True
)


@app.command()
def results(session: SessionOption = None) -> None:
    """Show the last build, or the last one of a session: each model, each failing row."""
    from pipelines.build_results import attempts_of, newest_attempts
    from pipelines.build_results.terminal import attempt_view
    from pipelines.sessions import parse_session

    settings = load_settings()
    found = attempts_of(settings, parse_session(session)) if session else newest_attempts(settings)
    if not found:
        raise WarehouseError(
            "session",
            session or "any",
            "no results of a build are kept",
            "Build it with `smartinvest transform`; a build that is there is not made again.",
        )
    out.print(attempt_view(found[0]))


@app.command()
def builds() -> None:
    """List the builds whose results are kept, newest first."""
    from pipelines.build_results import newest_attempts
    from pipelines.build_results.terminal import attempts_table

    out.print(attempts_table(newest_attempts(load_settings())))


@app.command()
def freshness(session: SessionOption = None) -> None:
    """Show how old each source's newest row was when a build was cut; fails if one was late."""
    from pipelines.lake import read_manifest
    from pipelines.terminal import text_table
    from pipelines.warehouse.record import read_record
    from pipelines.warehouse.source_freshness import source_freshness

    settings = load_settings()
    build = read_record(_published(settings, session))
    measured = source_freshness(settings, read_manifest(settings, build.data_snapshot))
    rows = [
        (
            one.source,
            one.status,
            one.newest_known_at and f"{one.newest_known_at:%Y-%m-%d %H:%M}",
            None if one.age is None else one.age.days,
            one.warn_after.days,
            one.error_after.days,
        )
        for one in measured
    ]
    names = ("source", "status", "newest known (UTC)", "days old", "warned after", "late after")
    title = f"As of {build.known_at_cut:%Y-%m-%d %H:%M} UTC, the cut of {build.session_date}"
    out.print(text_table(names, rows, title=title))
    if any(one.status == "error" for one in measured):
        raise typer.Exit(1)


@app.command()
def chart(
    symbol: Annotated[str, typer.Argument(help="The provider's symbol.")],
    session: SessionOption = None,
    last: Annotated[int, typer.Option(min=2, help="How many sessions to draw.")] = 756,
    path: Annotated[
        Path | None, typer.Option("--out", help="PNG to write; else one under the home.")
    ] = None,
) -> None:
    """Draw a symbol's prices and features: averages, bands, RSI, MACD, volatility, drawdown."""
    from pipelines.feature_chart import draw_chart

    settings = load_settings()
    path = path or settings.home / "charts" / f"{symbol.replace('/', '_')}.png"
    out.print(f"{draw_chart(_published(settings, session), symbol, last, path)}")


def _published(settings: Settings, session: str | None) -> Path:
    """Return the folder of a session's newest build; of the newest of all if none is named."""
    from pipelines.sessions import parse_session
    from pipelines.warehouse.places import published_folder

    return published_folder(settings, parse_session(session) if session else None)
