"""What the allocation would have earned, beside what anybody could have held instead."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import SourceOption, out
from pipelines.settings import ensure_home, load_settings
from pipelines.terminal import text_table

app = typer.Typer()

_WIDE = 165


@app.command()
def backtest(
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help="Session of the first decision."),
    ] = None,
    score: Annotated[
        list[int] | None,
        typer.Option(help="Risk score of our portfolios, also several; 30, 60 and 90 if left out."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            file_okay=False,
            help="Folder of the page and the tables; else one under the home.",
        ),
    ] = None,
    source: SourceOption = None,
) -> None:
    """Walk through the current build's history: what our portfolios earned, net of costs."""
    settings = load_settings(source=source)
    ensure_home(settings)
    os.environ.update(settings.libraries_environment())
    from pipelines.backtest.output import HEADER, HEADLINE, cells
    from pipelines.backtest.results import worth_of_views
    from pipelines.backtest.stage import SCORES
    from pipelines.backtest.stage import backtest as run
    from pipelines.sessions import parse_session

    found = run(
        settings,
        parse_session(begin) if begin else None,
        tuple(score) if score else SCORES,
        folder.expanduser().absolute() if folder else None,
    )
    title = f"backtest, {found.first} to {found.last}, net of costs"
    # All ten columns in a narrow terminal would break words; the files have them.
    columns = HEADER if out.width >= _WIDE else HEADLINE
    shown = [[row[HEADER.index(name)] for name in columns] for row in map(cells, found.rows)]
    out.print(text_table(columns, shown, title=title))
    out.print(worth_of_views(found.rows))
    for remark in found.remarks:
        out.print(f"- {remark}")
    for path in found.files:
        out.print(str(path))
