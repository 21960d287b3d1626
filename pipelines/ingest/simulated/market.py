"""What all simulated instruments share: the market, its sectors, yields and turbulence.

Returns are log returns per session. Turbulence multiplies volatility: it clusters by itself, and
is raised in the crises below. The days on which the real market jumped carry about the real move,
so that a rule which would reject such a day is found out; everything else is made up.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from pipelines.ingest.simulated.timeline import Floats, generator, persistent, timeline

SECTORS = ("technology", "financials", "health_care", "consumer", "energy", "industrials")
MARKET_VOL = 0.0075
SECTOR_VOL = 0.0055
YIELD_VOL = 0.0005
"""Standard deviations per session in calm times; that of yields is in fractions."""

_DRIFT = 0.08 / 252
_CALM_YIELD = 0.045
_LOWEST_YIELD = 0.003

CRISES = (
    ("1973-01-11", "1974-12-06", 1.5),
    ("1987-10-14", "1987-12-31", 2.2),
    ("1998-08-03", "1998-10-15", 1.7),
    ("2000-03-24", "2002-10-09", 1.6),
    ("2008-09-12", "2009-03-31", 2.8),
    ("2011-08-01", "2011-10-31", 1.9),
    ("2020-02-24", "2020-05-15", 2.8),
    ("2022-01-03", "2022-10-12", 1.5),
    ("2025-04-03", "2025-04-30", 2.0),
)
"""First day, last day, and by how much volatility is raised."""

JUMPS = {
    "1962-05-28": -0.067,
    "1987-10-16": -0.052,
    "1987-10-19": -0.205,
    "1987-10-20": 0.053,
    "1987-10-21": 0.091,
    "1987-10-26": -0.083,
    "1989-10-13": -0.061,
    "1997-10-27": -0.069,
    "1998-08-31": -0.068,
    "2000-04-14": -0.058,
    "2001-09-17": -0.049,
    "2008-09-29": -0.088,
    "2008-10-09": -0.076,
    "2008-10-13": 0.116,
    "2008-10-15": -0.090,
    "2008-10-28": 0.108,
    "2008-12-01": -0.089,
    "2011-08-08": -0.067,
    "2020-03-09": -0.076,
    "2020-03-12": -0.095,
    "2020-03-13": 0.093,
    "2020-03-16": -0.120,
    "2020-03-24": 0.094,
    "2025-04-04": -0.060,
    "2025-04-09": 0.095,
}
"""Simple returns of the market."""


@dataclass(frozen=True)
class Market:
    """The common factors, one entry per session of the timeline (sectors: one row each)."""

    turbulence: Floats
    log_return: Floats
    sector_log_return: Floats
    yield_10y: Floats
    yield_2y: Floats
    volatility_index: Floats


@cache
def market() -> Market:
    """Return the common factors over the whole timeline."""
    count = len(timeline().sessions)
    noise = generator(0).standard_normal((count, 6 + len(SECTORS)))[::-1].T
    turbulence = np.exp(0.35 * persistent(noise[0], 0.985) - 0.06)
    for first, last, factor in CRISES:
        days = timeline().sessions
        inside = (days >= np.datetime64(first)) & (days <= np.datetime64(last))
        turbulence[inside] *= factor
    log_return = _DRIFT + MARKET_VOL * turbulence * noise[1]
    for day, move in JUMPS.items():
        log_return[np.searchsorted(timeline().sessions, np.datetime64(day))] = np.log1p(move)
    sectors = SECTOR_VOL * np.sqrt(turbulence) * noise[6:]
    return Market(
        turbulence=turbulence,
        log_return=log_return,
        sector_log_return=sectors,
        yield_10y=_yield(noise[2], _CALM_YIELD),
        yield_2y=_yield(0.8 * noise[2] + 0.6 * noise[3], _CALM_YIELD - 0.008),
        volatility_index=_volatility_index(turbulence, log_return, noise[4]),
    )


def _yield(noise: Floats, mean: float) -> Floats:
    persistence = 0.999
    spread = YIELD_VOL / np.sqrt(1 - persistence**2)
    level = mean + spread * persistent(noise, persistence)
    # A floor that bends instead of cutting keeps yields moving when they are low.
    return np.asarray(
        np.where(
            level > 2 * _LOWEST_YIELD,
            level,
            _LOWEST_YIELD * (1 + np.exp(level / _LOWEST_YIELD - 2)),
        )
    )


def _volatility_index(turbulence: Floats, log_return: Floats, noise: Floats) -> Floats:
    """Return percent per year: calm or turbulent, and higher after falls, forgotten in weeks."""
    memory = 0.85 ** np.arange(40)
    recent = np.convolve(log_return, memory)[: len(log_return)]
    expected = 100 * np.sqrt(252) * MARKET_VOL * np.sqrt(turbulence) * 1.35
    return np.asarray(expected * np.exp(np.clip(-4.2 * recent, -0.5, 1.5) + 0.035 * noise))
