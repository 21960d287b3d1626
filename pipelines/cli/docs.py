"""Documentation of the warehouse and the DAGs."""

import typer

from pipelines.cli.common import out
from pipelines.settings import ensure_home, load_settings

app = typer.Typer()


@app.command()
def docs() -> None:
    """Write dbt's documentation and the catalogue of DAGs as pages under the home."""
    from pipelines.documentation import build_documentation

    settings = load_settings()
    ensure_home(settings)
    out.print(str(build_documentation(settings)), soft_wrap=True)
