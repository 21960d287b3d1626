"""What became of the warehouse's builds, and pictures of what they hold."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import SessionOption, out
from pipelines.errors import WarehouseError
from pipelines.settings import load_settings

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
    from pipelines.sessions import parse_session
    from pipelines.warehouse.publication import session_pointer

    settings = load_settings()
    build = (
        session_pointer(settings, parse_session(session))
        if session
        else settings.warehouse / "current"
    )
    path = path or settings.home / "charts" / f"{symbol.replace('/', '_')}.png"
    out.print(f"{draw_chart(build, symbol, last, path)}")
