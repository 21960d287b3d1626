"""Why an advice is as it is: on the terminal, and as a page."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import out
from pipelines.settings import load_settings

app = typer.Typer()


@app.command()
def explain(
    key: Annotated[
        str,
        typer.Argument(metavar="CLIENT_OR_TRADE", help="client_id, account_id or trade_id."),
    ],
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="RUN_ID",
            help="Key of a run or its first digits, also of one that is not published; if left "
            "out, the last published one.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            dir_okay=False,
            help="Also write one page with charts, which needs no other file.",
        ),
    ] = None,
) -> None:
    """Show why: causes of each trade, what binds, forecasts, goal, certificate and lineage."""
    settings = load_settings()
    os.environ.update(settings.libraries_environment())
    from pipelines.explain import document, page, terminal_view
    from pipelines.explain import explain as explanation_of
    from pipelines.lake.parquet import write_text

    told = document(explanation_of(settings, key, run))
    out.print(terminal_view(told))
    if html is not None:
        out.print(f"wrote {write_text(page(told), html)}", soft_wrap=True)
