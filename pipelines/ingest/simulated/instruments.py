"""Which simulated symbol is what: class, risk, income, liquidity and life span."""

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.vocabulary import AssetClass
from pipelines.ingest.simulated.market import SECTORS
from pipelines.ingest.simulated.timeline import (
    FIRST_SESSION,
    LAST_SESSION,
    SESSIONS_PER_YEAR,
    generator,
    timeline,
)

_FUNDS = (
    # class, beta, own volatility a year, income a year, payments a year, duration in years
    (AssetClass.INDEX, 1.00, 0.01, 0.0, 0, 0.0),
    (AssetClass.US_EQUITY, 1.00, 0.01, 0.016, 4, 0.0),
    (AssetClass.INTERNATIONAL_EQUITY, 0.85, 0.09, 0.026, 2, 0.0),
    (AssetClass.BOND, 0.00, 0.008, 0.042, 12, 6.0),
    (AssetClass.INFLATION_LINKED, 0.05, 0.03, 0.04, 12, 7.0),
    (AssetClass.REAL_ESTATE, 1.00, 0.13, 0.038, 4, 2.0),
    (AssetClass.COMMODITY, 0.25, 0.17, 0.0, 0, 0.0),
    (AssetClass.FACTOR, 0.95, 0.05, 0.018, 4, 0.0),
    (AssetClass.VOLATILITY, 0.00, 0.0, 0.0, 0, 0.0),
)
_EVERY = 50
"""Of so many symbols in a row, the first are the funds and indices above, the rest are stocks."""

_UNTRADABLE = (AssetClass.INDEX, AssetClass.VOLATILITY)


@dataclass(frozen=True)
class Instrument:
    """One simulated instrument.

    Parameters
    ----------
    sector : row of the market's sector returns; None without one.
    own_vol_annual : volatility that no other instrument shares.
    payments_per_year, income_annual, pays_on : dividends: how many, what they sum to as a
        fraction of the price, and on which session of the month (counted from 0).
    last_close, dollar_volume : level at the end of the timeline, in USD, before any split.
    listed, delisted : first and last session, None where the timeline has none.
    is_thin : whether there are sessions on which it does not trade.
    """

    number: int
    asset_class: AssetClass
    sector: int | None
    beta: float
    own_vol_annual: float
    income_annual: float
    payments_per_year: int
    pays_on: int
    duration_years: float
    last_close: float
    dollar_volume: float
    listed: dt.date | None
    delisted: dt.date | None
    is_thin: bool

    @property
    def symbol(self) -> str:
        """The symbol, which says that it is simulated."""
        return f"SIM{self.number:04d}"

    @property
    def name(self) -> str:
        """The name, which says so too."""
        return f"Simulated {self.asset_class.value.replace('_', ' ')} {self.number}"

    @property
    def is_stock(self) -> bool:
        """Whether it is one company and no basket."""
        return self.sector is not None

    @property
    def is_tradable(self) -> bool:
        """Whether an account can hold it."""
        return self.asset_class not in _UNTRADABLE

    @property
    def first_session(self) -> dt.date:
        """First session with a bar."""
        return self.listed or FIRST_SESSION

    @property
    def last_session(self) -> dt.date:
        """Last session with a bar."""
        return self.delisted or LAST_SESSION


@cache
def instrument(number: int) -> Instrument:
    """Return the instrument of a number, the same however many there are."""
    dice = generator(1, number)
    kind = number % _EVERY
    return _fund(number, dice) if kind < len(_FUNDS) else _stock(number, dice)


def _fund(number: int, dice: np.random.Generator) -> Instrument:
    kind = number % _EVERY
    if _FUNDS[kind][0] is AssetClass.VOLATILITY and number >= _EVERY:
        kind -= 2  # there is one volatility index; its like is a commodity fund
    asset_class, beta, own_vol, income, payments, duration = _FUNDS[kind]
    is_index = asset_class is AssetClass.INDEX
    return Instrument(
        number=number,
        asset_class=asset_class,
        sector=None,
        beta=beta,
        own_vol_annual=own_vol * dice.uniform(0.8, 1.2),
        income_annual=income,
        payments_per_year=payments,
        pays_on=int(dice.integers(0, 5)),
        duration_years=duration,
        last_close=dice.uniform(3000, 9000) if is_index else dice.uniform(25, 500),
        dollar_volume=float(np.exp(dice.normal(19, 1.2))) if asset_class not in _UNTRADABLE else 0,
        listed=None,
        delisted=None,
        is_thin=False,
    )


def _stock(number: int, dice: np.random.Generator) -> Instrument:
    sector = int(dice.integers(len(SECTORS)))
    own_vol = float(np.clip(np.exp(dice.normal(np.log(0.27), 0.4)), 0.12, 1.0))
    pays = dice.random() < (0.75 if own_vol < 0.27 else 0.3)
    income, pays_on = dice.uniform(0.005, 0.045), int(dice.integers(3, 17))
    last_close = float(np.exp(dice.normal(np.log(60), 0.9)))
    dollar_volume = float(np.exp(dice.normal(17.5, 1.6)))
    is_thin = dollar_volume < 5e6 and dice.random() < 0.5
    listed, delisted = _life(dice)
    return Instrument(
        number=number,
        asset_class=AssetClass(SECTORS[sector]),
        sector=sector,
        beta=float(np.clip(dice.normal(1.0, 0.3), 0.2, 2.0)),
        own_vol_annual=own_vol,
        income_annual=income if pays else 0.0,
        payments_per_year=4 if pays else 0,
        pays_on=pays_on,
        duration_years=0.0,
        last_close=last_close,
        dollar_volume=dollar_volume,
        listed=listed,
        delisted=delisted,
        is_thin=is_thin,
    )


def _life(dice: np.random.Generator) -> tuple[dt.date | None, dt.date | None]:
    """Return when a stock was listed and delisted: one in eight came late, one in twelve went."""
    end = len(timeline().sessions) - 1
    came, went = dice.random() < 0.12, dice.random() < 0.08
    age = int(dice.integers(1, 35 * SESSIONS_PER_YEAR))
    gone_for = int(dice.integers(1, 20 * SESSIONS_PER_YEAR))
    if came and went:
        age = max(age, gone_for + SESSIONS_PER_YEAR)
    return (
        timeline().day(end - age) if came else None,
        timeline().day(end - gone_for) if went else None,
    )
