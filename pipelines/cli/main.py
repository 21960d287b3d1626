"""The command itself: its groups, its logging and how its errors look."""

import logging
import sys

import typer

from pipelines.cli import (
    backtest,
    bench,
    clients,
    cluster,
    docs,
    explain,
    fills,
    lake,
    maintenance,
    models,
    operate,
    quarantine,
    query,
    replay,
    stages,
    store,
    warehouse,
)
from pipelines.errors import SmartInvestError
from pipelines.log_identifiers import log_to_stderr
from pipelines.redaction import redact_uncaught_errors, redacted

_INTERRUPTED = 130
"""The exit code that Typer makes of a KeyboardInterrupt, without a word."""

app = typer.Typer(
    help="A robo-advisor's engine room: market data, forecasts, allocations and trade lists.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(stages.app)
app.add_typer(operate.app)
app.add_typer(cluster.app, name="cluster")
app.add_typer(clients.app, name="clients")
app.add_typer(fills.app, name="fills")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(lake.app, name="lake")
app.add_typer(warehouse.app, name="warehouse")
app.add_typer(models.app, name="models")
app.add_typer(store.app, name="store")
app.add_typer(query.app)
app.add_typer(explain.app)
app.add_typer(replay.app)
app.add_typer(backtest.app)
app.add_typer(maintenance.app)
app.add_typer(docs.app)
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run the command; an error that a user can act on is one line and exit code 1."""
    log_to_stderr(logging.INFO)
    redact_uncaught_errors()
    for noisy in ("alembic", "great_expectations", "httpx", "mlflow", "py.warnings"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        app()
    except SmartInvestError as error:
        typer.echo(redacted(f"{type(error).__name__}: {error}"), err=True)
        sys.exit(1)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            typer.echo("interrupted; nothing half-done was published", err=True)
        raise
