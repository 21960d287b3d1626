"""Compiled loop of ``sizing``: why a symbol that is not on its target is not traded."""

import numpy as np

from models.vocabulary import NoTrade
from pipelines.rebalance.kernels import kernel, part
from pipelines.rebalance.trades.arithmetic import notional_of

_CODES = list(NoTrade)
_WITHIN_BAND = _CODES.index(NoTrade.WITHIN_BAND)
_LESS_THAN_A_LOT = _CODES.index(NoTrade.LESS_THAN_A_LOT)
_BELOW_MINIMUM = _CODES.index(NoTrade.BELOW_MINIMUM)
_CASH_SHORT = _CODES.index(NoTrade.CASH_SHORT)
_WASH_SALE = _CODES.index(NoTrade.WASH_SALE)
_HELD = _CODES.index(NoTrade.HELD)
_ON_TARGET = -1


@kernel
def no_trade_codes(  # type: ignore[no-untyped-def]
    has_target, idle_because, is_flow_only, held, target, traded, lot, may_buy, is_blocked,
    price, smallest,
):  # fmt: skip
    """Return (accounts, symbols) codes; ``idle_because`` is that of an account, -1: it trades."""
    accounts, symbols = held.shape
    codes = np.full((accounts, symbols), _ON_TARGET)
    for account in range(accounts):
        if not has_target[account]:
            continue
        blocks = is_blocked[min(account, len(is_blocked) - 1)]
        for symbol in range(symbols):
            gap = target[account, symbol] - held[account, symbol]
            if gap == 0 or traded[account, symbol] != 0:
                continue
            if idle_because[account] >= 0:
                codes[account, symbol] = idle_because[account]
            elif is_flow_only[account]:
                codes[account, symbol] = _WITHIN_BAND
            elif gap < 0:
                codes[account, symbol] = _unsold_because(-gap, lot[account])
            elif not may_buy[symbol]:
                codes[account, symbol] = _HELD
            elif blocks[symbol]:
                codes[account, symbol] = _WASH_SALE
            else:
                codes[account, symbol] = _unbought_because(
                    gap, lot[account], price[symbol], smallest
                )
    return codes


@part
def _unsold_because(excess, lot):  # type: ignore[no-untyped-def]
    return _LESS_THAN_A_LOT if excess < lot else _BELOW_MINIMUM


@part
def _unbought_because(gap, lot, price, smallest):  # type: ignore[no-untyped-def]
    if gap < lot:
        return _LESS_THAN_A_LOT
    if notional_of(gap // lot * lot, price) < smallest:
        return _BELOW_MINIMUM
    return _CASH_SHORT
