"""False positives: what the checks reject of data in which nothing was injected."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from benchmarks.faults.market import fresh_home
from models.lake import PRICES
from models.vocabulary import Source
from pipelines.ingest import ingest, provider_for
from pipelines.lake import current_versions, rejections
from pipelines.quality import check
from pipelines.settings import Settings

SYMBOLS, YEARS = 300, 40
"""Of the clean simulated market: about three million bars, with all crashes since 1987."""

_STANDS_STILL = 21
"""A close that repeats for longer, a month, is filled in: such a bar is bad, though nobody put it
there."""


@dataclass(frozen=True)
class RejectedRun:
    """Bars of one symbol that were rejected under the same rules, in a row or nearly so.

    ``really_bad`` says what is wrong with them beyond doubt; empty where nothing is, so that they
    are false positives.
    """

    symbol: str
    first_session: str
    last_session: str
    rows: int
    rules: tuple[str, ...]
    observed: str
    really_bad: str


@dataclass(frozen=True)
class CleanSet:
    """One data set without injected faults: its price rows and what was rejected of them."""

    name: str
    rows: int
    rejected: tuple[RejectedRun, ...]
    notes: tuple[str, ...]

    @property
    def false_positives(self) -> int:
        """Rejected rows that are not bad beyond doubt."""
        return sum(run.rows for run in self.rejected if not run.really_bad)

    @property
    def really_bad(self) -> int:
        """Rejected rows that are."""
        return sum(run.rows for run in self.rejected if run.really_bad)

    @property
    def rate(self) -> float:
        """False positives in 100,000 rows."""
        return 1e5 * self.false_positives / max(self.rows, 1)


def clean_sets(home: Path, folder: Path | None) -> list[CleanSet]:
    """Ingest and check the clean simulated market, the real sample and, if given, a folder."""
    wanted = {
        "simulated": fresh_home(
            home / "simulated",
            Source.SIMULATED,
            simulated_symbols=SYMBOLS,
            simulated_years=YEARS,
        ),
        "sample": fresh_home(home / "sample", Source.SAMPLE),
    }
    if folder is not None:
        wanted[folder.name] = fresh_home(home / "files", Source.FILES, files_folder=folder)
    return [_clean_set(name, settings) for name, settings in wanted.items()]


def _clean_set(name: str, settings: Settings) -> CleanSet:
    session = provider_for(settings).newest_session()
    ingested = ingest(settings, session)
    checked = check(settings, session)
    return CleanSet(
        name=name,
        rows=ingested.new_rows + ingested.restated_rows,
        rejected=tuple(_runs(settings)),
        notes=tuple(f"{symbol}: {note}" for symbol, note in sorted(checked.notes.items())),
    )


def _runs(settings: Settings) -> Iterable[RejectedRun]:
    rejected = rejections(settings, PRICES).to_pylist()
    rules, observed = defaultdict(set), {}
    for row in rejected:
        bar = row["symbol"], row["session_date"]
        rules[bar].add(row["rule"])
        observed[bar] = row["observed_value"] or ""
    wrong = _really_bad(current_versions(settings, PRICES, {symbol for symbol, _ in rules}))
    alike = groupby(sorted(rules), lambda bar: (bar[0], sorted(rules[bar]), wrong.get(bar, "")))
    for (symbol, names, why), bars in alike:
        days = [day.isoformat() for _, day in bars]
        first = next(bar for bar in observed if bar[0] == symbol and bar[1].isoformat() == days[0])
        yield RejectedRun(symbol, days[0], days[-1], len(days), tuple(names), observed[first], why)


def _really_bad(rows: pa.Table) -> dict[tuple[str, object], str]:
    """Return, of some bars, what is wrong beyond doubt: no price, or one that was filled in."""
    frame = rows.to_pandas().sort_values(["symbol", "session_date"])
    starts = (frame["close"] != frame.groupby("symbol")["close"].shift(1)).cumsum()
    repeated = frame.groupby(starts).cumcount()
    causes = {}
    for symbol, day, close, count in zip(
        frame["symbol"], frame["session_date"], frame["close"], repeated, strict=True
    ):
        if close != close:
            causes[symbol, day] = "there is no close"
        elif count > _STANDS_STILL:
            causes[symbol, day] = "the close has stood still for over a month"
    return causes
