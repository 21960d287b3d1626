"""Benchmarks: each shows what it measured and ends with one line of JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.common import out
from pipelines.terminal import text_table

app = typer.Typer(help="Benchmarks against peers, on the same data.", no_args_is_help=True)


def _made(folder: Path | None) -> Path | None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _show(line: Mapping[str, Any]) -> None:
    """Print a benchmark's line as a table, and as the JSON that programs read."""
    out.print(text_table(["measure", "value"], line.items(), title=f"bench {line['bench']}"))
    typer.echo(json.dumps(line))


Work = Annotated[
    Path | None,
    typer.Option(help="Folder with room; else the system's temporary one.", callback=_made),
]


@app.command()
def ingest(
    symbols: Annotated[int, typer.Option(min=2, help="How many files.")] = 5000,
    years: Annotated[int, typer.Option(min=1, max=70, help="Years of daily bars in each.")] = 25,
    work: Work = None,
) -> None:
    """Files to checked Parquet in the lake, beside pandas and DuckDB's bare copy."""
    from benchmarks.ingest import run

    _show(run(symbols, years, work).line())


@app.command()
def features(
    symbols: Annotated[int, typer.Option(min=2, help="How many symbols.")] = 5000,
    years: Annotated[int, typer.Option(min=2, max=70, help="Years of daily bars of each.")] = 25,
    work: Work = None,
) -> None:
    """Build all features from the lake, beside pandas, polars and a plain copy."""
    from benchmarks.features.bench import run

    _show(run(symbols, years, work).line())


@app.command()
def train(
    symbols: Annotated[int, typer.Option(min=2, help="Symbols of the market trained on.")] = 150,
    sessions: Annotated[int, typer.Option(min=120, help="Sessions of each.")] = 5060,
    steps: Annotated[int, typer.Option(min=1, help="Batches of 512 windows that are timed.")] = 200,
    torch: Annotated[
        bool, typer.Option(help="PyTorch as a peer; it takes 4 GB of disk, once.")
    ] = True,
    moving_average_symbols: Annotated[
        int, typer.Option(min=20, help="Symbols whose moving averages are forecast.")
    ] = 5000,
) -> None:
    """Train the network beside plain Keras and PyTorch; forecast a market with all models."""
    from benchmarks.train.bench import run
    from benchmarks.train.task import Task

    benchmark = run(
        Task(symbols, sessions, steps),
        torch=torch,
        moving_average_symbols=moving_average_symbols,
    )
    _show(benchmark.line())


@app.command()
def rebalance(
    accounts: Annotated[int, typer.Option(min=1000, help="Accounts that we solve.")] = 200_000,
    peer_accounts: Annotated[int, typer.Option(min=10, help="Of them, that peers solve.")] = 1000,
    end_to_end: Annotated[
        int | None,
        typer.Option(min=1, help="Rebalance so many accounts, from a build to published trades."),
    ] = None,
    store: Annotated[str, typer.Option(help="With that: sqlite or postgresql.")] = "postgresql",
    work: Work = None,
) -> None:
    """Solve and verify many accounts, beside PyPortfolioOpt, skfolio and Riskfolio-Lib."""
    from benchmarks.rebalance.bench import run
    from benchmarks.rebalance.end_to_end import run as run_all

    if end_to_end is None:
        _show(run(accounts, peer_accounts).line())
    else:
        _show(run_all(end_to_end, store, work).line())


@app.command()
def daily(
    clients: Annotated[int, typer.Option(min=1, help="Clients that are generated.")] = 1000,
    sessions: Annotated[int, typer.Option(min=1, max=20, help="Sessions that are timed.")] = 3,
    work: Work = None,
) -> None:
    """From the trigger to published trades on the native cluster, beside no Airflow at all."""
    from benchmarks.cluster.daily import run

    _show(run(clients, sessions, work).line())


@app.command()
def cluster(
    clients: Annotated[
        int, typer.Option(min=100, help="Clients that are generated; most have two accounts.")
    ] = 103_000,
    workers: Annotated[
        list[int] | None, typer.Option(min=1, help="A number of workers; give it several times.")
    ] = None,
    accounts_per_shard: Annotated[int, typer.Option(min=100, help="Size of a shard.")] = 10_000,
    work: Work = None,
) -> None:
    """Rebalance by one process, by one Celery worker and by two; are the results equal."""
    from benchmarks.cluster.bench import run

    _show(run(clients, workers or (1, 2), accounts_per_shard, work).line())


@app.command()
def faults(
    repeats: Annotated[
        int, typer.Option(min=1, help="Injections of each fault at each severity.")
    ] = 10,
    folder: Annotated[
        Path | None, typer.Option(help="Price files to count false positives on as well.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="PNG to draw the detection curves into.")
    ] = None,
) -> None:
    """Every fault of the catalogue through the real ingest and checks; false positives."""
    from benchmarks.faults import run
    from benchmarks.faults.tables import tables

    benchmark = run(repeats, folder, picture)
    for table in tables(benchmark):
        out.print(table)
    if benchmark.picture is not None:
        out.print(f"detection curves: {benchmark.picture}")
    typer.echo(json.dumps(benchmark.line()))


@app.command("cluster-faults")
def cluster_faults(
    only: Annotated[str, typer.Option(help="Only faults whose names contain this.")] = "",
    clients: Annotated[int, typer.Option(min=100, help="Clients that are generated.")] = 2000,
    page: Annotated[Path | None, typer.Option(help="Markdown file for the table.")] = None,
    work: Work = None,
) -> None:
    """Kill, restart, fill and poison a native cluster in mid-run, and compare what it published."""
    from benchmarks.cluster_faults.bench import run
    from benchmarks.cluster_faults.page import COLUMNS, rows

    benchmark = run(only, clients, work, page)
    out.print(text_table(COLUMNS, rows(benchmark.findings), title="bench cluster-faults"))
    typer.echo(json.dumps(benchmark.line()))
