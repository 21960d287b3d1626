"""Make a past run again and show what differs."""

import os
from typing import Annotated

import typer

from pipelines.cli.common import out
from pipelines.settings import load_settings
from pipelines.terminal import text_table

app = typer.Typer()


@app.command()
def replay(
    run_id: Annotated[str, typer.Argument(help="Key of a published run, or its first digits.")],
) -> None:
    """Make a past run again from its recorded inputs; exit code 1 where a row differs."""
    settings = load_settings()
    os.environ.update(settings.libraries_environment())
    from pipelines.replay import replay as run_replay

    found = run_replay(settings, run_id)
    out.print(f"run {found.run_id} of {found.session_date}: {found.accounts:,} accounts made again")
    for note in found.notes:
        out.print(f"note: {note}")
    if found.differences:
        out.print(
            text_table(
                ("table", "missing", "added", "changed"),
                ((row.table, row.missing, row.added, row.changed) for row in found.differences),
            )
        )
        out.print(
            text_table(
                ("for example in", "key", "column", "stored", "made"),
                ((each.table, *row) for each in found.differences for row in each.first),
            )
        )
    out.print(f"differences: {found.rows}")
    if found.differences:
        raise typer.Exit(1)
