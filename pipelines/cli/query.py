"""Ask the published warehouse: an example by its name, a file, or SQL."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pipelines.cli.common import SessionOption, out
from pipelines.lineage import REPOSITORY
from pipelines.settings import load_settings

app = typer.Typer()

_EXAMPLES = REPOSITORY / "docs" / "queries"
_MOST_ROWS = 200
_DIGITS = 8


@app.command()
def query(
    question: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|SQL", help="An example of docs/queries, a file with SQL, or SQL."
        ),
    ],
    session: SessionOption = None,
) -> None:
    """Ask the current warehouse, or a session's; marts need no schema name."""
    from pipelines.sessions import parse_session
    from pipelines.warehouse import connect
    from pipelines.warehouse.asking import ask
    from pipelines.warehouse.places import published_folder

    build = published_folder(load_settings(), parse_session(session) if session else None)
    with connect(build) as warehouse:
        columns, rows = ask(warehouse, _sql(question), _MOST_ROWS)
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(_cell, row))
    out.print(table)
    if len(rows) == _MOST_ROWS:
        out.print(f"the first {_MOST_ROWS} rows; there may be more")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return "" if value is None else str(value)


def _sql(question: str) -> str:
    for path in (_EXAMPLES / f"{question}.sql", Path(question)):
        try:
            if path.is_file():
                return path.read_text("utf-8")
        except OSError:  # SQL may be longer than a path
            break
    return question
