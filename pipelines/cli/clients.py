"""Client inputs: generated ones and those of a file."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import prepare_store, show, show_import
from pipelines.settings import Settings

app = typer.Typer(help="Client inputs.", no_args_is_help=True)


@app.command("generate")
def generate_(
    count: Annotated[int | None, typer.Option(min=1, help="How many; else the setting.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same clients.")] = None,
) -> None:
    """Generate plausible clients with goals, accounts and holdings."""
    from pipelines.clients import generate

    settings = prepare_store(generated_clients=count, seed=seed)
    show(generate(settings, settings.generated_clients, settings.seed))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file; its format is in docs/clients.md.")],
) -> None:
    """Load clients from a CSV file; bad rows are reported, the good ones load."""
    from pipelines.clients import import_csv

    settings = prepare_store()
    show_import(import_csv(settings, file))


def ensure_clients(settings: Settings) -> None:
    """Generate the clients of the settings into a store that has none."""
    from pipelines.clients import count_clients, generate

    if count_clients(settings) == 0:
        generate(settings, settings.generated_clients, settings.seed)
