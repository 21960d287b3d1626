"""Which tax lots a sell closes, as arrays of a shard.

Lots are sold in the order of what they cost in tax (IRS Publication 550, "Capital gains and
losses"): short-term losses, long-term losses, long-term gains, short-term gains, then those of
unknown basis. The sells of every account get their lots; only taxable ones have tax from them.
"""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.trades.lot_kernels import WITHOUT_LOT, choose
from pipelines.rebalance.trades.sized import LotSales, Sized
from pipelines.rebalance.trades.wash_sales import day_number, disallowed_cents

NO_LOT = "$NONE"
"""Stands for the lot where shares are sold that no lot tells of; one per trade at most."""


def choose_lots(shard: Shard, sized: Sized, market: Market, session: dt.date) -> LotSales:
    """Return the lots that the sells of a shard close.

    A part's proceeds are those of the sell after fees; they sum to it to the cent, and so do the
    parts of a basis. Shares that no lot tells of count as one lot of unknown basis, sold last. A
    lot whose holding period is unknown counts as short-term. Losses that wash sales take away
    through purchases of the last 30 days or of this run are in ``disallowed_cents``.

    Parameters
    ----------
    shard, sized : accounts and their trades, aligned.
    market : whose symbols the columns are.
    session : the holding period is counted to it, the earliest day on which a trade may be made.
    """
    lots = shard.lots
    is_long = is_long_term(lots.held_since_day, session)
    net = np.ascontiguousarray(sized.notional_cents - sized.fee_cents)
    out = np.empty((len(lots.symbol) + int((sized.traded_micros < 0).sum()), 6), np.int64)
    rows = choose(
        lots.first,
        lots.symbol,
        lots.quantity_micros,
        lots.basis_cents,
        is_long,
        np.ascontiguousarray(sized.traded_micros),
        net,
        out,
    )
    account, symbol, lot, quantity, proceeds, basis = np.ascontiguousarray(out[:rows].T)
    has_lot = lot != WITHOUT_LOT
    sales = LotSales(
        account=account,
        symbol=symbol,
        lot=lot,
        quantity_micros=quantity,
        proceeds_cents=proceeds,
        basis_cents=basis,
        is_long_term=np.append(is_long, False)[np.where(has_lot, lot, -1)],
        disallowed_cents=np.zeros(rows, np.int64),
    )
    return disallowed_cents(shard, sized, sales, market, session)


def is_long_term(held_since_day: Integers, session: dt.date) -> Mask:
    """Say whether lots are held for more than one year on a session; False where unknown.

    The holding period begins on the day after the purchase, and the sale must not come before the
    same day of the next year (Rev. Rul. 66-7): bought on 5 February, the first long-term sale is
    on 6 February of the year after.

    Parameters
    ----------
    held_since_day : days since 1970-01-01; -1: unknown.
    """
    is_leap_day = (session.month, session.day) == (2, 29)
    year_ago = session.replace(year=session.year - 1, day=28 if is_leap_day else session.day)
    return (held_since_day >= 0) & (held_since_day < day_number(year_ago))


def lot_ids(shard: Shard, sales: LotSales) -> pa.StringArray:
    """Return the key of each sale's lot; ``NO_LOT`` where no lot tells of the shares."""
    row = pa.array(sales.lot, mask=sales.lot == WITHOUT_LOT)
    return pc.fill_null(shard.lots.lot_id.take(row), NO_LOT)
