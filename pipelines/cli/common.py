"""What the subcommands share: options, preparation and output."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipelines.log_identifiers import bind
from pipelines.settings import Settings, ensure_home, load_settings
from pipelines.terminal import report_view

SessionOption = Annotated[
    str | None,
    typer.Option("--session", metavar="YYYY-MM-DD", help="Exchange session; newest if left out."),
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="Market data source; else SMARTINVEST_SOURCE.")
]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Folder that source files reads.")
]
out = Console(highlight=False)


def prepare(
    session: str | None, source: str | None = None, folder: Path | None = None
) -> tuple[Settings, dt.date]:
    """Return settings and session, with a store; a session that is none is refused first.

    Callers import their stages afterwards, so that a refusal does not wait for the imports.
    """
    from pipelines.sessions import parse_session

    settings = load_settings(
        session=parse_session(session) if session else None, source=source, files_folder=folder
    )
    ensure_home(settings)
    os.environ.update(settings.libraries_environment())

    from pipelines.ingest import resolve_session

    date = resolve_session(settings)
    bind(session=date)

    from pipelines.store import migrate

    migrate(settings)
    return settings, date


def prepare_store(**given: Any) -> Settings:
    """Return settings, some of them as given on the command line, with a home and a store."""
    from pipelines.store import migrate

    settings = load_settings(**given)
    ensure_home(settings)
    migrate(settings)
    return settings


def show_import(report: Any) -> None:
    """Print what an import did; exit with 1 where some of the file could not be used."""
    show(report)
    if report.issues:
        raise typer.Exit(1)


def run_stages(
    settings: Settings, date: dt.date, *stages: Callable[[Settings, dt.date], object]
) -> None:
    """Run stages one after the other, then show their reports."""
    show(*[stage(settings, date) for stage in stages])


def show(*reports: object) -> None:
    """Print reports as tables."""
    for report in reports:
        out.print(report_view(report))
