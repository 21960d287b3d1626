"""The command ``smartinvest``: one stage in this process, or the whole chain without Airflow."""

import datetime as dt
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from pipelines.errors import SmartInvestError
from pipelines.settings import Settings, ensure_home, load_settings
from pipelines.terminal import report_view, text_table

_GROUP_COLUMNS = ("symbol", "rule", "rows", "sessions", "reason and remedy")
_BAR_COLUMNS = ["session_date", "rule", "observed_value"]
_INTERRUPTED = 130
"""The exit code that Typer makes of a KeyboardInterrupt, without a word."""

app = typer.Typer(
    help="A robo-advisor's engine room: market data, forecasts, allocations and trade lists.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
clients_app = typer.Typer(help="Client inputs.", no_args_is_help=True)
quarantine_app = typer.Typer(help="Data that failed its expectations.", no_args_is_help=True)
app.add_typer(clients_app, name="clients")
app.add_typer(quarantine_app, name="quarantine")

SessionOption = Annotated[
    str | None,
    typer.Option("--session", metavar="YYYY-MM-DD", help="Exchange session; newest if left out."),
]
out = Console(highlight=False)


def main() -> None:
    """Run the command; an error that a user can act on is one line and exit code 1."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    for noisy in ("alembic", "great_expectations", "httpx", "mlflow", "py.warnings"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        app()
    except SmartInvestError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            typer.echo("interrupted; nothing half-done was published", err=True)
        raise


@app.command()
def ingest(session: SessionOption = None) -> None:
    """Append what the source knows to the raw lake and put what fails into quarantine."""
    prepared = _prepare(session)
    from pipelines.ingest import ingest as run_ingest
    from pipelines.quality import check

    _run_stages(*prepared, run_ingest, check)


@app.command()
def transform(session: SessionOption = None) -> None:
    """Snapshot the clients, build the warehouse with dbt and publish it."""
    prepared = _prepare(session)
    from pipelines.warehouse import transform as run_transform

    _run_stages(*prepared, run_transform)


@app.command()
def train(session: SessionOption = None) -> None:
    """Choose the model of a session: keep the last one, or train anew."""
    prepared = _prepare(session)
    from pipelines.forecast import train as run_train

    _run_stages(*prepared, run_train)


@app.command()
def forecast(session: SessionOption = None) -> None:
    """Write every model's forecasts for a session."""
    prepared = _prepare(session)
    from pipelines.forecast import forecast as run_forecast

    _run_stages(*prepared, run_forecast)


@app.command()
def rebalance(session: SessionOption = None) -> None:
    """Turn forecasts and clients into allocations and trades, and publish them."""
    prepared = _prepare(session)
    from pipelines.rebalance import rebalance as run_rebalance

    _run_stages(*prepared, run_rebalance)


@app.command()
def run(session: SessionOption = None) -> None:
    """Run the whole chain in this process, without Airflow."""
    settings, date = _prepare(session)
    from pipelines.forecast import forecast as run_forecast
    from pipelines.forecast import train as run_train
    from pipelines.ingest import ingest as run_ingest
    from pipelines.operate.summary import print_summary
    from pipelines.quality import check
    from pipelines.rebalance import rebalance as run_rebalance
    from pipelines.warehouse import transform as run_transform

    _ensure_clients(settings)
    for stage in (run_ingest, check, run_transform, run_train, run_forecast, run_rebalance):
        stage(settings, date)
    print_summary(settings, date)


@app.command()
def daily(session: SessionOption = None) -> None:
    """Run the chain for a session through Airflow's scheduler; this is `make run`."""
    from pipelines.operate.daily import exclusively, run_daily

    settings = load_settings()
    ensure_home(settings)
    with exclusively(settings):
        settings, date = _prepare(session)
        _ensure_clients(settings)
        run_daily(settings, date)


@app.command()
def status() -> None:
    """Show the last published run and how fresh the data is."""
    from pipelines.operate.summary import print_status

    print_status(load_settings())


@app.command()
def up() -> None:
    """Serve the Airflow and MLflow user interfaces on this machine."""
    from pipelines.operate.serve import start

    settings = load_settings()
    ensure_home(settings)
    start(settings)


@app.command()
def down() -> None:
    """End what `up` started."""
    from pipelines.operate.serve import stop

    stop(load_settings())


@clients_app.command("generate")
def clients_generate(
    count: Annotated[int | None, typer.Option(min=1, help="How many; else the setting.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same clients.")] = None,
) -> None:
    """Generate plausible clients with goals, accounts and holdings."""
    from pipelines.clients import generate
    from pipelines.store import migrate

    settings = load_settings(generated_clients=count, seed=seed)
    ensure_home(settings)
    migrate(settings)
    _show(generate(settings, settings.generated_clients, settings.seed))


@clients_app.command("import")
def clients_import(
    file: Annotated[Path, typer.Argument(help="CSV file; its format is in docs/clients.md.")],
) -> None:
    """Load clients from a CSV file; bad rows are reported, the good ones load."""
    from pipelines.clients import import_csv
    from pipelines.store import migrate

    settings = load_settings()
    ensure_home(settings)
    migrate(settings)
    report = import_csv(settings, file)
    _show(report)
    if report.issues:
        raise typer.Exit(1)


@quarantine_app.command("list")
def quarantine_list(
    symbol: Annotated[str | None, typer.Option(help="Every rejected bar of this symbol.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every rejected bar, as CSV.")] = False,
) -> None:
    """List rejected data by symbol and rule, with reason and remedy."""
    from pipelines.quality import grouped, list_quarantine, of_symbol, write_csv

    rows = list_quarantine(load_settings())
    if symbol is not None:
        rows = of_symbol(rows, symbol)
    if as_csv:
        write_csv(rows, sys.stdout)
    elif rows.num_rows == 0:
        out.print(Text(f"nothing{f' of {symbol}' if symbol else ''} is in quarantine"))
    else:
        out.print(text_table(_GROUP_COLUMNS, (group.cells for group in grouped(rows))))
        if symbol is not None:
            bars = rows.select(_BAR_COLUMNS)
            out.print(text_table(bars.column_names, (bar.values() for bar in bars.to_pylist())))


def _prepare(session: str | None) -> tuple[Settings, dt.date]:
    """Return settings and session, with a store; a session that is none is refused first.

    Callers import their stages afterwards, so that a refusal does not wait for the imports.
    """
    from pipelines.sessions import parse_session

    settings = load_settings(session=parse_session(session) if session else None)
    ensure_home(settings)

    from pipelines.ingest import resolve_session

    date = resolve_session(settings)

    from pipelines.store import migrate

    migrate(settings)
    return settings, date


def _ensure_clients(settings: Settings) -> None:
    from pipelines.clients import count_clients, generate

    if count_clients(settings) == 0:
        generate(settings, settings.generated_clients, settings.seed)


def _run_stages(
    settings: Settings, date: dt.date, *stages: Callable[[Settings, dt.date], object]
) -> None:
    _show(*[stage(settings, date) for stage in stages])


def _show(*reports: object) -> None:
    for report in reports:
        out.print(report_view(report))


if __name__ == "__main__":
    main()
