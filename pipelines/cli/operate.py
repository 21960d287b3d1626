"""The daily run through Airflow, its state and the user interfaces."""

import datetime as dt

import typer

from pipelines.cli.clients import ensure_clients
from pipelines.cli.common import SessionOption, prepare
from pipelines.settings import ensure_home, load_settings

app = typer.Typer()


@app.command()
def daily(session: SessionOption = None) -> None:
    """Run the chain for a session through Airflow's scheduler; this is `make run`."""
    from pipelines.operate.daily import exclusively, run_daily

    settings = load_settings()
    ensure_home(settings)
    with exclusively(settings):
        settings, date = prepare(session)
        ensure_clients(settings)
        run_daily(settings, date)


@app.command()
def status() -> None:
    """Show the last published run and how fresh the data is."""
    from pipelines.operate.summary import print_status

    print_status(load_settings(), dt.datetime.now(dt.UTC))


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
