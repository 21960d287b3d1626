"""Trained models: which there are, which serves, and how to go back to an earlier one."""

import getpass
from typing import Annotated

import typer

from pipelines.cli.common import out, show
from pipelines.settings import load_settings

app = typer.Typer(help="Trained models, and which of them serve.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List every training's models: versions, role, scores of the test, evidence."""
    settings = load_settings()
    from pipelines.forecast.versions import versions_view
    from pipelines.store import migrate

    migrate(settings)
    out.print(versions_view(settings))


@app.command()
def rollback(
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="RUN_ID",
            help="Training that shall serve; if left out, the one in service before.",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Who decides; if left out, the user of this machine.")
    ] = None,
) -> None:
    """Put an earlier training back into service, from the newest session on."""
    settings = load_settings()
    from pipelines.forecast.rollback import roll_back
    from pipelines.store import migrate

    migrate(settings)
    show(roll_back(settings, reason=reason, decided_by=by or getpass.getuser(), to=to))
