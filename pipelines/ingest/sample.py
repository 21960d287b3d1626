"""The ``sample`` source: the real daily closes that the skfolio package carries.

20 US stocks and the S&P 500 since 1990, five factor ETFs since 2014, all until the end of 2022.
The closes are adjusted for splits and dividends, so a hindsight: the universe was chosen later,
and old closes contain later dividends. There are no opens, highs, lows or volumes.
"""

import datetime as dt
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from models.vocabulary import Arrival, PriceBasis, Source
from pipelines.errors import SourceError
from pipelines.ingest.provider import (
    ACTION_SCHEMA,
    INSTRUMENT_SCHEMA,
    MACRO_SCHEMA,
    PRICE_SCHEMA,
    UNIVERSE_SCHEMA,
    Delivery,
    Problem,
)

_PANELS = ("sp500_dataset.csv.gz", "factors_dataset.csv.gz", "sp500_index.csv.gz")
_REFERENCE = Path(__file__).with_name("sample_instruments.csv")


class SampleProvider:
    """Reads skfolio's data files directly; importing skfolio itself would take seconds."""

    source = Source.SAMPLE
    arrival = Arrival.BULK

    def first_session(self) -> dt.date:
        """Return the first session of the panel."""
        return _as_date(pc.min(_closes()["session_date"]))

    def newest_session(self) -> dt.date:
        """Return the last session of the panel."""
        return _as_date(pc.max(_closes()["session_date"]))

    def instruments(self) -> pa.Table:
        """Return the reference of the package's 26 instruments."""
        reference = _read_csv(_REFERENCE)
        first = _closes().group_by("symbol").aggregate([("session_date", "min")])
        first = first.rename_columns(["symbol", "first_session"])
        return reference.join(first, "symbol").select(INSTRUMENT_SCHEMA.names)

    def universe(self) -> pa.Table:
        """Return a universe of hindsight: every instrument, since its first bar."""
        members = self.instruments().select(["symbol", "first_session"])
        return pa.table(
            {
                "universe": pa.repeat(pa.scalar("sample"), members.num_rows),
                "symbol": members["symbol"],
                "member_from": members["first_session"],
                "member_until": pa.nulls(members.num_rows, pa.date32()),
            },
            UNIVERSE_SCHEMA,
        )

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        """Return all symbols as one batch: they are read from three files."""
        return [tuple(sorted(self.instruments()["symbol"].to_pylist()))]

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        """Return the closes from start to end; every other number is null. It has no actions."""
        day = pc.field("session_date")
        wanted = (
            (day >= pa.scalar(start, pa.date32()))
            & (day <= pa.scalar(end, pa.date32()))
            & pc.field("symbol").isin(list(symbols))
        )
        return Delivery(_closes().filter(wanted), ACTION_SCHEMA.empty_table())

    def macro(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        """Return nothing: the package carries no macro series."""
        return MACRO_SCHEMA.empty_table(), ()


@cache
def _closes() -> pa.Table:
    return pa.concat_tables([_long(_read_csv(_data_folder() / name)) for name in _PANELS])


def _data_folder() -> Path:
    package = find_spec("skfolio")
    if package is None or package.origin is None:
        raise SourceError(
            "source", Source.SAMPLE, "the package skfolio is not installed", "Run `make` again."
        )
    return Path(package.origin).parent / "datasets" / "data"


def _read_csv(path: Path) -> pa.Table:
    try:
        return pacsv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise SourceError(
            "source",
            Source.SAMPLE,
            f"{path.name} cannot be read ({error})",
            "Reinstall the locked packages.",
        ) from None


def _long(panel: pa.Table) -> pa.Table:
    """Turn a panel with one column per symbol into rows; a hole in it becomes no row."""
    day, *symbols = panel.column_names
    parts = [
        pa.table(
            {
                "symbol": pa.repeat(pa.scalar(symbol), panel.num_rows),
                "session_date": panel[day].cast(pa.date32()),
                "close": panel[symbol].cast(pa.float64()),
            }
        ).drop_null()
        for symbol in symbols
    ]
    rows = pa.concat_tables(parts)
    nothing = pa.nulls(rows.num_rows, pa.float64())
    for name in ("open", "high", "low", "volume", "adjusted_return_1d"):
        rows = rows.append_column(name, nothing)
    basis = pa.repeat(pa.scalar(PriceBasis.TOTAL_RETURN.value), rows.num_rows)
    rows = rows.append_column("price_basis", basis)
    return rows.select(PRICE_SCHEMA.names).cast(PRICE_SCHEMA)


def _as_date(scalar: pa.Scalar) -> dt.date:
    date: dt.date = scalar.as_py()
    return date
