"""Compiled loops over tax lots: which are sold first, and what each part costs in exact cents.

Lots are in the order of accounts, so each account is worked on alone and no bit depends on others.
"""

import numpy as np

from pipelines.rebalance.kernels import kernel, part

SHORT_TERM_LOSS, LONG_TERM_LOSS, LONG_TERM_GAIN, SHORT_TERM_GAIN, UNKNOWN_BASIS = range(5)
"""Classes of lots in the order in which they are sold."""

WITHOUT_LOT = -1
"""The row of a lot where shares that no lot tells of are sold."""

_MICROS_SQUARED_PER_CENT = 1e10


@kernel
def share_of(cents, part, whole):  # type: ignore[no-untyped-def]
    """Return cents * part / whole, half-even, exact although the product may pass 64 bits.

    ``0 <= part <= whole``, ``whole < 2**61`` and ``cents >= 0``.
    """
    if part == whole:
        return cents
    quotient = np.int64(np.float64(cents) * np.float64(part) / np.float64(whole))
    # The estimate is off by one at most (cents below 2**52), so that the remainder fits in 64 bits
    # although the products wrap.
    wrapped = np.uint64(cents) * np.uint64(part) - np.uint64(quotient) * np.uint64(whole)
    rest = np.int64(wrapped)
    while rest < 0:
        rest += whole
        quotient -= 1
    while rest >= whole:
        rest -= whole
        quotient += 1
    if 2 * rest > whole or (2 * rest == whole and quotient % 2 == 1):
        quotient += 1
    return quotient


@part
def class_of(basis, is_long_term, worth):  # type: ignore[no-untyped-def]
    """Return the class of a lot that cost ``basis`` cents and would bring ``worth`` cents."""
    if basis < 0:
        return UNKNOWN_BASIS
    if worth < basis:
        return LONG_TERM_LOSS if is_long_term else SHORT_TERM_LOSS
    return LONG_TERM_GAIN if is_long_term else SHORT_TERM_GAIN


@part
def put_in_order(begin, end, quantity, basis, is_long_term, cents_per_micro, order):  # type: ignore[no-untyped-def]
    """Fill ``order`` with the lots from ``begin`` to ``end`` as they are sold; return how many.

    Within a class the dearest share comes first; lots alike keep their order.
    """
    count = end - begin
    classes = np.empty(count, np.int64)
    dearness = np.empty(count)
    for i in range(count):
        lot = begin + i
        classes[i] = class_of(basis[lot], is_long_term[lot], quantity[lot] * cents_per_micro)
        dearness[i] = basis[lot] / quantity[lot] if basis[lot] >= 0 else 0.0
    for i in range(count):
        place = i
        while place > 0 and _is_before(classes, dearness, i, order[place - 1] - begin):
            order[place] = order[place - 1]
            place -= 1
        order[place] = begin + i
    return count


@part
def _is_before(classes, dearness, one, other):  # type: ignore[no-untyped-def]
    if classes[one] != classes[other]:
        return classes[one] < classes[other]
    return dearness[one] > dearness[other]


@kernel
def choose(first, symbol, quantity, basis, is_long_term, traded, net_cents, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with the lots that the sells of all accounts close; return how many rows.

    Parameters
    ----------
    first : (accounts + 1,) where each account's lots begin; they are sorted by symbol there.
    symbol, quantity, basis : (lots,).
    is_long_term : (lots,).
    traded, net_cents : (accounts, symbols) signed quantities, and proceeds after fees.
    out : (rows, 6) account, symbol, lot, quantity, proceeds, basis (-1: unknown).
    """
    order = np.empty(len(symbol) + 1, np.int64)
    row = np.int64(0)
    for account in range(traded.shape[0]):
        lot = first[account]
        end = first[account + 1]
        for position in range(traded.shape[1]):
            while lot < end and symbol[lot] < position:
                lot += 1
            begin = lot
            while lot < end and symbol[lot] == position:
                lot += 1
            if traded[account, position] >= 0:
                continue
            sold = -traded[account, position]
            net = net_cents[account, position]
            count = put_in_order(begin, lot, quantity, basis, is_long_term, net / sold, order)
            row = _close(order, count, quantity, basis, account, position, sold, net, out, row)
    return row


@part
def _close(order, count, quantity, basis, account, position, sold, net, out, row):  # type: ignore[no-untyped-def]
    """Close lots in their order until all is sold; what no lot tells of is of unknown basis."""
    done, paid = 0, 0
    for place in range(count + 1):
        if done == sold:
            break
        lot = order[place] if place < count else WITHOUT_LOT
        left = sold - done
        part = min(left, quantity[lot]) if place < count else left
        done += part
        # Of what is sold so far, so that the parts sum to the whole.
        until_here = share_of(net, done, sold) if net >= 0 else -share_of(-net, done, sold)
        known = place < count and basis[lot] >= 0
        out[row, 0], out[row, 1], out[row, 2] = account, position, lot
        out[row, 3], out[row, 4] = part, until_here - paid
        out[row, 5] = share_of(basis[lot], part, quantity[lot]) if known else -1
        paid = until_here
        row += 1
    return row


@kernel
def tax_of_next(first, symbol, quantity, basis, is_long_term, held, price, share, rates, tax):  # type: ignore[no-untyped-def]
    """Fill ``tax`` (accounts, symbols) with that of selling a share of each holding.

    A fraction of the proceeds; negative where losses outweigh gains. ``rates`` are those of
    short-term and long-term gains; what has no known basis has no known tax and counts as none.
    """
    order = np.empty(len(symbol) + 1, np.int64)
    for account in range(held.shape[0]):
        lot = first[account]
        end = first[account + 1]
        for position in range(held.shape[1]):
            while lot < end and symbol[lot] < position:
                lot += 1
            begin = lot
            while lot < end and symbol[lot] == position:
                lot += 1
            per_micro = price[position] / _MICROS_SQUARED_PER_CENT
            wanted = share * held[account, position]
            if wanted <= 0.0 or per_micro <= 0.0 or begin == lot:
                continue
            count = put_in_order(begin, lot, quantity, basis, is_long_term, per_micro, order)
            owed, left = 0.0, wanted
            for place in range(count):
                row = order[place]
                part = min(left, np.float64(quantity[row]))
                if basis[row] >= 0:
                    gain = part * per_micro - basis[row] * (part / quantity[row])
                    owed += gain * rates[1 if is_long_term[row] else 0]
                left -= part
                if left <= 0.0:
                    break
            tax[account, position] = owed / (wanted * per_micro)
