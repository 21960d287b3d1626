"""Where else to look: MLflow, Data Docs, dbt's documentation, the catalogue of DAGs."""

from pathlib import Path

from models.credentials import without_credentials
from pipelines.operate.serve import mlflow_address
from pipelines.operations.documents import is_shared
from pipelines.operations.panels import Link, Panel, Verdict
from pipelines.settings import Settings

FOLDER = "docs"
"""Under the home; the page serves what lies there, behind the same login."""

_BUILT_BY = "smartinvest docs"


def link_panel(settings: Settings) -> Panel:
    """Show where else to look, and how to make what is not there."""
    links = [
        Link("dbt results", "../warehouse-results/"),
        Link("assets and what they start", "../assets", "_self"),
    ]
    notes = []
    mlflow = mlflow_page(settings)
    if mlflow:
        links.append(Link("MLflow", mlflow, "_blank"))
    else:
        notes.append("MLflow: no server is set (SMARTINVEST_MLFLOW_URL); `make up` starts one.")
    for title, path, made_by in (
        ("Data Docs", f"quality/{settings.source.value}/index.html", "the next ingest makes them"),
        ("dbt documentation", "dbt/index.html", f"`{_BUILT_BY}` makes it"),
        ("catalogue of DAGs", "dags/index.html", f"`{_BUILT_BY}` makes it"),
    ):
        if (settings.home / FOLDER / path).is_file() or is_shared(settings, path):
            links.append(Link(title, f"{FOLDER}/{path}"))
        else:
            notes.append(f"{title}: not there; {made_by}.")
    links += explanations(settings)
    notes.append(
        "Why an advice is as it is: `smartinvest explain CLIENT_OR_TRADE --html FILE`; pages under "
        f"{FOLDER}/explain of the home are listed here."
    )
    return Panel("links", "Look further", Verdict.GOOD, "", notes=tuple(notes), links=tuple(links))


def mlflow_page(settings: Settings) -> str:
    """Return the address of MLflow's pages; empty where no server is known."""
    if settings.mlflow_url.startswith(("http:", "https:")):
        return without_credentials(settings.mlflow_url)
    served = mlflow_address(settings)
    return served.read_text("utf-8").strip() if served.is_file() else ""


def explanations(settings: Settings) -> list[Link]:
    """Return links to the explanation pages that somebody has made."""
    folder: Path = settings.home / FOLDER / "explain"
    found = sorted(folder.glob("*.html"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [Link(f"why: {path.stem}", f"{FOLDER}/explain/{path.name}") for path in found[:10]]
