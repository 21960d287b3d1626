"""Faults of files: a folder in which some files are broken and the others must not suffer."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.faults.evidence import Evidence, Notice
from benchmarks.faults.market import Outcome, fresh_home, ingested_and_checked
from models.lake import PRICES
from models.vocabulary import ActionKind, Source
from pipelines.ingest import provider_for
from pipelines.ingest.simulated import SimulatedProvider
from pipelines.ingest.simulated.faults import CATALOGUE, Boundary, Fault, FileFault, Truth
from pipelines.lake import current_versions, without_rejected
from pipelines.settings import Settings

YEARS = 3
_CLEAN_FILES = 10
_SYMBOLS_PER_FILE = 2.2
"""Symbols that split, or began late, have no file: their raw prices jump with reason."""

_HEADER = {
    "session_date": "Date",
    "open": "Open",
    "high": "High",
    "low": "Low",
    "close": "Close",
    "volume": "Volume",
}
_NUMBERS = ["open", "high", "low", "close", "volume"]

Case = tuple[FileFault, float]


def file_outcomes(
    home: Path, repeats: int, faults: Iterable[Fault[Any]] = tuple(CATALOGUE.values())
) -> tuple[list[Outcome], int]:
    """Spoil files of a folder, each fault ``repeats`` times at each severity, and ingest it.

    A broken file is caught when no wrong row of it is accepted, and what is missing of it is
    told; a file that is read right in spite of its form has nothing to tell.

    Returns
    -------
    outcomes : one per broken file.
    lost : rows of unbroken files that are not in the lake as they were written.
    """
    cases: list[Case] = [
        (fault, severity)
        for fault in faults
        if fault.boundary is Boundary.FILES
        for severity in fault.ladder
        for _ in range(repeats)
    ]
    folder = home / "folder"
    truth = _clean_rows(len(cases) + _CLEAN_FILES)
    spoiled = dict(zip(sorted(truth), cases, strict=False))
    _write(folder, truth, spoiled)
    settings = fresh_home(home / "home", Source.FILES, files_folder=folder)
    evidence = Evidence()
    session = provider_for(settings).newest_session()
    ingested_and_checked(settings, session, None, evidence)
    evidence.add_lake(settings)
    accepted = _accepted(settings)
    outcomes = [
        _outcome(symbol, case, truth[symbol], accepted.get(symbol), evidence)
        for symbol, case in spoiled.items()
    ]
    good = [symbol for symbol in truth if symbol not in spoiled]
    return outcomes, sum(sum(_differences(truth[one], accepted.get(one))) for one in good)


def _clean_rows(count: int) -> dict[str, pd.DataFrame]:
    """Return, by symbol, the bars of so many symbols that have them all and never split."""
    market = SimulatedProvider(int(_SYMBOLS_PER_FILE * count) + 20, YEARS)
    first, last = market.first_session(), market.newest_session()
    found: dict[str, pd.DataFrame] = {}
    for batch in market.batches(last):
        delivery = market.deliver(batch, first, last)
        split = pc.field("kind") == ActionKind.SPLIT
        with_split = set(delivery.actions.filter(split)["symbol"].to_pylist())
        for symbol, rows in delivery.prices.to_pandas().groupby("symbol"):
            begins = rows["session_date"].iloc[0] == first
            ends = rows["session_date"].iloc[-1] == last
            if begins and ends and symbol not in with_split:
                found[str(symbol)] = rows.reset_index(drop=True)
    return dict(sorted(found.items())[:count])


def _write(folder: Path, truth: dict[str, pd.DataFrame], spoiled: dict[str, Case]) -> None:
    folder.mkdir(parents=True)
    for symbol, rows in truth.items():
        content = rows[list(_HEADER)].rename(columns=_HEADER).to_csv(index=False).encode()
        if symbol in spoiled:
            fault, severity = spoiled[symbol]
            content = fault.spoil(content, severity)
        (folder / f"{symbol}.csv").write_bytes(content)


def _accepted(settings: Settings) -> dict[str, pd.DataFrame]:
    rows = without_rejected(settings, PRICES, current_versions(settings, PRICES))
    frames = pa.table(rows).to_pandas().groupby("symbol")
    return {str(symbol): frame for symbol, frame in frames}


def _differences(truth: pd.DataFrame, accepted: pd.DataFrame | None) -> tuple[int, int]:
    """Return how many accepted rows are wrong, and how many true ones are missing."""
    if accepted is None:
        return 0, len(truth)
    both = truth.merge(accepted, how="outer", on="session_date", suffixes=("", "_accepted"))
    there = both["close_accepted"].notna()
    same = pd.Series(True, index=both.index)
    for name in _NUMBERS:
        same &= (both[name] - both[f"{name}_accepted"]).abs() <= 1e-9 * both[name].abs()
    return int((there & ~same).sum()), int((~there).sum())


def _outcome(
    symbol: str,
    case: Case,
    truth: pd.DataFrame,
    accepted: pd.DataFrame | None,
    evidence: Evidence,
) -> Outcome:
    fault, severity = case
    days = truth["session_date"]
    wrong, missing = _differences(truth, accepted)
    how = f"{wrong} wrong rows accepted, {missing} missing"
    told = Truth(symbol, days.iloc[0], days.iloc[-1], how)
    return Outcome(fault, severity, told, _notice(told, wrong, missing, evidence))


def _notice(truth: Truth, wrong: int, missing: int, evidence: Evidence) -> Notice | None:
    if wrong:
        return None
    if not missing:
        return Notice.READ_RIGHT
    if any(truth.thing in thing for thing in evidence.problems):
        return Notice.PROBLEM
    everything = Truth(truth.thing, dt.date.min, dt.date.max, truth.how)
    noticed: tuple[Notice, Any] | None = evidence.notice(everything)
    return noticed[0] if noticed else None
