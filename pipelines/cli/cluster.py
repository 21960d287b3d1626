"""The cluster of docker-compose.yml on this machine, without containers."""

from typing import Annotated

import typer

from pipelines.settings import ensure_home, load_settings

app = typer.Typer(
    help="The cluster of docker-compose.yml on this machine, without containers.",
    no_args_is_help=True,
)


@app.command()
def up(
    workers: Annotated[
        int | None, typer.Option(min=1, help="containers of airflow-worker; as the file says")
    ] = None,
) -> None:
    """Start every service, wait until all are well, and say where they are."""
    from pipelines.operate.cluster import Cluster

    settings = load_settings()
    ensure_home(settings)
    cluster = Cluster(settings)
    cluster.start(workers)
    known = cluster.variables
    user = known.get("ADMIN_USER", "admin")
    typer.echo(f"Airflow  {known['AIRFLOW_URL']}  user {user}, ADMIN_PASSWORD in:")
    typer.echo(f"         {cluster.secrets_file}")
    typer.echo(f"MLflow   http://{known['TRACKING_HOST']}:{known['TRACKING_PORT']}")
    typer.echo("end them with: make down PROFILE=cluster")


@app.command()
def down() -> None:
    """End every service; what workers do is finished first, or begun again at the next start."""
    from pipelines.operate.cluster import Cluster

    ended = Cluster(load_settings()).stop()
    typer.echo(f"ended {ended} services" if ended else "no cluster was running")


@app.command()
def scale(workers: Annotated[int, typer.Argument(min=1)]) -> None:
    """Have another number of workers; those that are too many finish their tasks first."""
    from pipelines.operate.cluster import Cluster

    Cluster(load_settings()).scale(workers)


@app.command()
def ps() -> None:
    """Say of each container whether it runs, its process and its log."""
    from pipelines.operate.cluster import Cluster

    for container in Cluster(load_settings()).containers():
        record = container.record
        state = "runs" if container.is_running() else "ended" if record else "stopped"
        pid = record.pid if record else "-"
        typer.echo(f"{container.name:24} {state:8} {pid:>8}  {container.log}")


@app.command(context_settings={"ignore_unknown_options": True})
def run(command: Annotated[list[str], typer.Argument(help="such as: smartinvest status")]) -> None:
    """Run a command with a worker's environment: on the cluster's store, lake and models."""
    from pipelines.operate.cluster import Cluster

    raise typer.Exit(Cluster(load_settings()).run(command))
