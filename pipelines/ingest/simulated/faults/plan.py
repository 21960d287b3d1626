"""Where faults are put: a few by name for a person, or many of each for a benchmark."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import SettingError
from pipelines.ingest.provider import Provider
from pipelines.ingest.simulated.faults.actions import ACTION_FAULTS
from pipelines.ingest.simulated.faults.bars import BAR_FAULTS
from pipelines.ingest.simulated.faults.fault import Boundary, Fault, Place, SymbolFault
from pipelines.ingest.simulated.faults.files import FILE_FAULTS
from pipelines.ingest.simulated.faults.injection import Injection
from pipelines.ingest.simulated.faults.tables import TABLE_FAULTS
from pipelines.ingest.simulated.faults.timing import TIMING_FAULTS
from pipelines.sessions import sessions_between

SYMBOL_FAULTS: tuple[SymbolFault, ...] = (*BAR_FAULTS, *TIMING_FAULTS, *ACTION_FAULTS)
ALL_FAULTS: tuple[Fault[Any], ...] = (*SYMBOL_FAULTS, *TABLE_FAULTS, *FILE_FAULTS)
CATALOGUE = {fault.name: fault for fault in ALL_FAULTS}
"""All faults by name."""

SESSIONS_BEFORE = 300
"""Sessions of a symbol's clean past before its fault: more than any rule looks back."""

_SESSIONS_AFTER = 260
"""Sessions after it, so that the longest fault ends before the history does."""

Spot: TypeAlias = tuple[str, dt.date]
"""A symbol and a session, or a macro series and an observation date."""

_OBSERVATION = ("series_id", "observation_date")
_MACRO_DAYS = 20 * 365
_FEWEST_MONTHS = 24


def by_name(names: str, provider: Provider) -> list[Injection]:
    """Return one injection of each fault named between commas, at the severity that matters.

    Raises
    ------
    SettingError
        There is no such fault, it is one of files, or there are not enough symbols or sessions.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in CATALOGUE:
            raise _refused(name, "there is no such fault", f"Known are {', '.join(CATALOGUE)}.")
        if CATALOGUE[name].boundary is Boundary.FILES:
            raise _refused(name, "it is a fault of files", "`smartinvest bench faults` tries it.")
    cases = [(CATALOGUE[name], CATALOGUE[name].matters_from) for name in wanted]
    injections = planned(cases, provider, provider.newest_session())
    if len(injections) < len(wanted):
        raise _refused(
            names,
            f"only {len(injections)} of them find a symbol with a long enough history",
            "Raise SMARTINVEST_SIMULATED_SYMBOLS or SMARTINVEST_SIMULATED_YEARS.",
        )
    return injections


def planned(
    cases: Sequence[tuple[Fault[Any], float]], provider: Provider, last: dt.date, seed: int = 1
) -> list[Injection]:
    """Return an injection for each fault and severity, each on a symbol of its own.

    Parameters
    ----------
    last : newest session of the ingest that is to see the faults.
    """
    dice = np.random.default_rng(seed)
    symbols = _symbols(provider, last)
    dice.shuffle(symbols)
    days = sessions_between(provider.first_session(), last)
    observations = _observations(provider.macro(provider.first_session(), last)[0], last, dice)
    # The first symbol stays clean: it is the one that others are mixed up with.
    free = iter(symbols[1:])
    injections = []
    for fault, severity in cases:
        if fault.boundary is Boundary.MACRO:
            spot = next(observations, None)
        else:
            symbol = next(free, None)
            spot = None if symbol is None else (symbol, _day(fault, severity, days, dice))
        if spot is not None:
            injections.append(Injection(fault, severity, *spot, other=symbols[0]))
    return injections


def _day(
    fault: Fault[Any], severity: float, days: Sequence[dt.date], dice: np.random.Generator
) -> dt.date:
    if fault.place is Place.NEWEST:
        return days[-1]
    if fault.place is Place.ENDS_BEFORE_NEWEST:
        return days[-1 - int(severity)]
    stop = max(len(days) - _SESSIONS_AFTER, SESSIONS_BEFORE + 1)
    return days[int(dice.integers(SESSIONS_BEFORE, stop))]


def _symbols(provider: Provider, last: dt.date) -> list[str]:
    """Return the tradable symbols with bars from the provider's first session to ``last``."""
    rows = provider.instruments()
    begin = pa.scalar(provider.first_session(), pa.date32())
    rows = rows.filter((pc.field("first_session") <= begin) & pc.field("tradable"))
    wanted = set(rows["symbol"].to_pylist())
    alive: set[str] = set()
    for batch in provider.batches(last):
        mine = [symbol for symbol in batch if symbol in wanted]
        alive |= set(provider.deliver(mine, last, last).prices["symbol"].to_pylist())
    return sorted(alive)


def _observations(rows: pa.Table, last: dt.date, dice: np.random.Generator) -> Iterator[Spot]:
    """Yield monthly observations with a past of years, none twice."""
    first_of_month = [
        (series, day)
        for series, day in zip(*(rows[name].to_pylist() for name in _OBSERVATION), strict=True)
        if day.day == 1 and (last - day).days < _MACRO_DAYS
    ]
    counts = Counter(series for series, _ in set(first_of_month))
    monthly = sorted({place for place in first_of_month if counts[place[0]] > _FEWEST_MONTHS})
    for position in dice.permutation(len(monthly)):
        yield monthly[position]


def _refused(value: str, problem: str, remedy: str) -> SettingError:
    return SettingError("setting SMARTINVEST_SIMULATED_FAULTS", value, problem, remedy)
