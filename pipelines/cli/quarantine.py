"""Data that failed its expectations."""

import datetime as dt
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from pipelines.cli.common import out, show
from pipelines.settings import load_settings
from pipelines.terminal import text_table

_GROUP_COLUMNS = ("symbol", "rule", "rows", "days", "reason and remedy")
_BAR_COLUMNS = ["dataset", "session_date", "rule", "observed_value"]


class Dataset(StrEnum):
    """What providers deliver."""

    PRICES = "prices"
    ACTIONS = "actions"
    MACRO = "macro"
    INSTRUMENTS = "instruments"
    UNIVERSE = "universe"


app = typer.Typer(help="Data that failed its expectations.", no_args_is_help=True)


@app.command("list")
def list_(
    symbol: Annotated[
        str | None, typer.Option(help="Every rejected row of this symbol or series.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every rejected row, as CSV.")] = False,
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


@app.command("release")
def release_(
    symbol: Annotated[str, typer.Argument(help="Symbol or series whose rejected rows are right.")],
    by: Annotated[str, typer.Option("--by", help="Who decides.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the bars are right.")],
    rule: Annotated[str | None, typer.Option("--rule", help="Overrule this rule only.")] = None,
    dataset: Annotated[
        Dataset, typer.Option("--dataset", help="Whose rows to release.")
    ] = Dataset.PRICES,
    first: Annotated[
        str | None, typer.Option("--first", metavar="YYYY-MM-DD", help="First day.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--last", metavar="YYYY-MM-DD", help="Last day.")
    ] = None,
) -> None:
    """Let a symbol's rejected rows be used after all, on record; the next `transform` has them."""
    from models.lake import RAW
    from pipelines.quality import release

    show(
        release(
            load_settings(),
            symbol,
            released_by=by,
            reason=reason,
            rule=rule,
            first_session=_date("--first", first),
            last_session=_date("--last", last),
            table=next(table for table in RAW if table.name == dataset),
        )
    )


def _date(option: str, text: str | None) -> dt.date | None:
    from pipelines.errors import SessionError
    from pipelines.sessions import read_date

    try:
        return None if text is None else read_date(text)
    except ValueError:
        raise SessionError(option, text, "it is not a date", "Write it as YYYY-MM-DD.") from None
