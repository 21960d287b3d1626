"""One stage in this process, or the whole chain without Airflow."""

from functools import partial
from typing import Annotated

import typer

from models.vocabulary import TrainingProfile
from pipelines.cli.clients import ensure_clients
from pipelines.cli.common import (
    FolderOption,
    SessionOption,
    SourceOption,
    out,
    prepare,
    run_stages,
    show,
)
from pipelines.errors import WarehouseError

app = typer.Typer()

FullOption = Annotated[
    bool,
    typer.Option("--full", help="Build all from the lake, in place of a build that is there."),
]


@app.command()
def ingest(
    session: SessionOption = None, source: SourceOption = None, folder: FolderOption = None
) -> None:
    """Append what the source knows to the raw lake and put what fails into quarantine."""
    prepared = prepare(session, source, folder)
    from pipelines.ingest import ingest as run_ingest
    from pipelines.quality import check

    run_stages(*prepared, run_ingest, check)


@app.command()
def transform(session: SessionOption = None, full: FullOption = False) -> None:
    """Snapshot the clients, build the warehouse with dbt and publish it."""
    settings, date = prepare(session)
    from pipelines.build_results import attempt_behind
    from pipelines.build_results.terminal import attempt_view
    from pipelines.warehouse import transform as run_transform

    try:
        run_stages(settings, date, partial(run_transform, full=full))
    except WarehouseError as error:
        if attempt := attempt_behind(settings, date, error):
            out.print(attempt_view(attempt))
        raise


@app.command()
def monitor(session: SessionOption = None) -> None:
    """Score forecasts that are realised, and say whether a new training is due."""
    prepared = prepare(session)
    from pipelines.monitor import monitor as run_monitor

    run_stages(*prepared, run_monitor)


@app.command()
def train(session: SessionOption = None) -> None:
    """Choose the model of a session: keep the one in service, or train anew where that is due."""
    prepared = prepare(session)
    from pipelines.forecast import train as run_train

    run_stages(*prepared, run_train)


@app.command()
def tune(
    session: SessionOption = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="How many to run here, of what workers share; all if left out."),
    ] = None,
    profile: Annotated[
        TrainingProfile | None,
        typer.Option(help="Whose search, instead of SMARTINVEST_TRAINING_PROFILE."),
    ] = None,
) -> None:
    """Search the network's settings; a training of the session then finds the search done."""
    settings, date = prepare(session)
    if profile is not None:
        settings = settings.model_copy(update={"training_profile": profile})
    from pipelines.forecast import begin_tuning, finish_tuning, run_trials

    planned = begin_tuning(settings, date).trials
    run_trials(settings, date, trials or planned)
    if trials is None:
        show(finish_tuning(settings, date))


@app.command()
def forecast(session: SessionOption = None) -> None:
    """Write every model's forecasts for a session."""
    prepared = prepare(session)
    from pipelines.forecast import forecast as run_forecast

    run_stages(*prepared, run_forecast)


@app.command()
def rebalance(session: SessionOption = None) -> None:
    """Turn forecasts and clients into allocations and trades, and publish them."""
    prepared = prepare(session)
    from pipelines.rebalance import rebalance as run_rebalance

    run_stages(*prepared, run_rebalance)


@app.command()
def run(session: SessionOption = None) -> None:
    """Run the whole chain in this process, without Airflow."""
    settings, date = prepare(session)
    from pipelines.forecast import forecast as run_forecast
    from pipelines.forecast import train as run_train
    from pipelines.ingest import ingest as run_ingest
    from pipelines.monitor import monitor as run_monitor
    from pipelines.operate.summary import print_summary
    from pipelines.quality import check
    from pipelines.rebalance import rebalance as run_rebalance
    from pipelines.warehouse import transform as run_transform

    ensure_clients(settings)
    before = (run_ingest, check, run_transform, run_monitor)
    for stage in (*before, run_train, run_forecast, run_rebalance):
        stage(settings, date)
    print_summary(settings, date)
