"""What the broker did with trades: fills of a file, and those of a paper broker."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import SourceOption, prepare_store, show, show_import

app = typer.Typer(help="What the broker did with trades.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file; its format is in docs/fills.md.")],
) -> None:
    """Book the fills of a CSV file; what cannot be booked is reported, the rest is booked."""
    from pipelines.fills import import_fills

    settings = prepare_store()
    show_import(import_fills(settings, file))


@app.command()
def paper(
    session: Annotated[
        str | None,
        typer.Option(
            "--session",
            metavar="YYYY-MM-DD",
            help="Session whose advice is executed; that of the newest published run if left out.",
        ),
    ] = None,
    source: SourceOption = None,
    fill_share: Annotated[
        float, typer.Option(min=0, max=1, help="How much of each trade is filled.")
    ] = 1.0,
    none: Annotated[bool, typer.Option("--none", help="Fill nothing; trades expire.")] = False,
) -> None:
    """Send the proposed trades and fill them at the closes of the next session, on paper."""
    from pipelines.fills import paper_fills
    from pipelines.sessions import parse_session

    settings = prepare_store(source=source)
    # As the decimal that was typed, so that 0.1 of ten shares is one.
    share = Fraction(0) if none else Fraction(str(fill_share))
    show(paper_fills(settings, parse_session(session) if session else None, share))
