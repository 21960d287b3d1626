"""One sentence per trade, put together from columns of parts: no text is made row by row."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import MICROS
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.reasons.paths import CAUSE_NAMES
from pipelines.rebalance.reasons.words import CAUSE_WORDS, FEWER_WORDS

_UNTOLD = ", to reach the account's target; its causes could not all be told apart"
_LEFT = ", because it is no longer among what we advise on"
_TOLD_SHARE = 4
"""What makes a trade smaller is told where it takes a quarter of the trade, or more, away."""
_FEWER = pa.array(
    [*(f", though fewer because of {noun}." for noun in FEWER_WORDS.values()), "."], pa.string()
)
_ENDINGS = len(CAUSE_NAMES) + 1  # one per cause, and one for what could not be told apart


def trade_sentences(
    market: Market,
    symbol: Integers,
    traded_micros: Integers,
    causes_micros: Integers,
    is_complete: Integers,
) -> pa.StringArray:
    """Return the reason of each trade in words that a client understands.

    Its main cause is the one that moves most shares in the trade's direction, and of equal ones the
    first of the path. The one that takes most away, but for rounding, is told where that is much.

    Parameters
    ----------
    market : names of instruments, and which of them may still be bought.
    symbol : (trades,) positions in the market.
    traded_micros : (trades,) signed quantities.
    causes_micros : (trades, causes).
    is_complete : (trades,) whether all causes could be told apart.
    """
    is_sell = traded_micros < 0
    quantity = np.abs(traded_micros)
    direction = np.where(is_sell, -1, 1)[:, None]
    along = causes_micros * direction
    main = np.argmax(along, axis=1)
    against = np.argmin(along[:, : len(FEWER_WORDS)], axis=1)
    taken = -along[np.arange(len(along)), against]
    is_told = (taken * _TOLD_SHARE >= quantity) & (taken > 0) & (is_complete == 1)
    is_told &= _members(market)[symbol]
    ending = np.where(is_complete == 1, main, len(CAUSE_NAMES))
    is_one = quantity == MICROS
    number = ((symbol * 2 + is_sell) * 2 + is_one) * _ENDINGS + ending
    verbs = pa.array(["Buy ", "Sell "]).take(pa.array(is_sell.astype(np.int8)))
    fewer = np.where(is_told, against, len(FEWER_WORDS))
    return pc.binary_join_element_wise(
        verbs,
        shares_text(quantity),
        _endings(market).take(pa.array(number)),
        _FEWER.take(pa.array(fewer)),
        "",
    )


def _members(market: Market) -> Mask:
    return np.array([market.instruments[symbol].is_member for symbol in market.symbols])


def shares_text(quantity_micros: Integers) -> pa.StringArray:
    """Return quantities, at least 0, as numbers of shares: ``1,234.5``."""
    whole, part = np.divmod(quantity_micros, MICROS)
    known, same = np.unique(whole, return_inverse=True)
    wholes = pa.array([f"{count:,}" for count in known.tolist()], pa.string()).take(pa.array(same))
    digits = pc.utf8_lpad(pa.array(part).cast(pa.string()), 6, "0")
    decimals = pc.utf8_rtrim(pc.binary_join_element_wise(".", digits, ""), characters="0")
    return pc.binary_join_element_wise(wholes, pc.utf8_rtrim(decimals, characters="."), "")


def _endings(market: Market) -> pa.StringArray:
    """Return how sentences go on, by symbol, side, whether it is one share, and main cause."""
    texts = []
    for symbol in market.symbols:
        instrument = market.instruments[symbol]
        for side in (0, 1):
            for noun in ("shares", "share"):
                start = f" {noun} of {instrument.name}"
                for cause in CAUSE_NAMES:
                    why = f", mainly {CAUSE_WORDS[cause][side]}"
                    texts.append(start + (why if instrument.is_member else _LEFT))
                texts.append(start + (_UNTOLD if instrument.is_member else _LEFT))
    return pa.array(texts, pa.string())
