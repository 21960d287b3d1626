"""Client inputs: generated ones and those of a file."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import show
from pipelines.settings import Settings, ensure_home, load_settings

app = typer.Typer(help="Client inputs.", no_args_is_help=True)


@app.command("generate")
def generate_(
    count: Annotated[int | None, typer.Option(min=1, help="How many; else the setting.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same clients.")] = None,
) -> None:
    """Generate plausible clients with goals, accounts and holdings."""
    from pipelines.clients import generate
    from pipelines.store import migrate

    settings = load_settings(generated_clients=count, seed=seed)
    ensure_home(settings)
    migrate(settings)
    show(generate(settings, settings.generated_clients, settings.seed))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file; its format is in docs/clients.md.")],
) -> None:
    """Load clients from a CSV file; bad rows are reported, the good ones load."""
    from pipelines.clients import import_csv
    from pipelines.store import migrate

    settings = load_settings()
    ensure_home(settings)
    migrate(settings)
    report = import_csv(settings, file)
    show(report)
    if report.issues:
        raise typer.Exit(1)


def ensure_clients(settings: Settings) -> None:
    """Generate the clients of the settings into a store that has none."""
    from pipelines.clients import count_clients, generate

    if count_clients(settings) == 0:
        generate(settings, settings.generated_clients, settings.seed)
