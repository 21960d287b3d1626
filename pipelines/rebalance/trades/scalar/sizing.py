"""From target quantities to an executable trade list, in integers throughout.

Sells come first, to the nearest lot within bounds, and never exceed what is held; buys are rounded
down, never spend cash that must stay and never lift a class above its limit; what is left is spent
again in a fixed order, up to a lot beyond the target. Then

    cash before + sells - buys - fees = cash after

holds to the cent, and cash after is never below the buffer unless nothing is left to sell.
"""

from models.vocabulary import MICROS, Side
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.scalar.book import Book
from pipelines.rebalance.trades.scalar.orders import Order, Orders, fee_cents, notional_cents
from pipelines.rebalance.trades.scalar.weights import NANOS


def size_trades(book: Book, policy: Policy) -> Orders:
    """Return the trades that bring an account as near to its target as lots and cash allow."""
    settled = list(book.target)
    sold = _sells(book, settled, policy)
    cash = book.cash_cents + sum(_proceeds(book, i, sold[i], policy) for i in range(len(sold)))
    kept = [held - sale for held, sale in zip(book.held, sold, strict=True)]
    bought = _buys(book, kept, settled, cash - book.reserve_cents, policy)
    _spend_leftover(book, kept, bought, settled, cash - book.reserve_cents, policy)
    orders = [
        _order(book, position, side, quantity, policy)
        for side, quantities in ((Side.SELL, sold), (Side.BUY, bought))
        for position, quantity in enumerate(quantities)
        if quantity > 0
    ]
    return Orders(tuple(orders), tuple(settled), book.cash_cents)


def _sells(book: Book, settled: list[int], policy: Policy) -> list[int]:
    sold = [0] * len(book.held)
    for position, (held, target) in enumerate(zip(book.held, book.target, strict=True)):
        # A whole-share account trades no fraction, not even to close a position.
        everything = target == 0 and held > 0 and book.lot_micros < MICROS
        quantity = held if everything else _nearest_sale(book, position)
        worth = notional_cents(quantity, book.price_micros[position])
        if worth >= policy.minimum_notional_cents or (worth > 0 and quantity == held):
            sold[position] = quantity
    _sell_for_buffer(book, sold, settled, policy)
    return sold


def _nearest_sale(book: Book, position: int) -> int:
    """Return the whole lots that leave what is nearest to the target, and never a debt.

    A lot more where what stays is above the target and above the symbol's bound: half a share of a
    dear symbol can be a tenth of a small account, and the bound may be its client's wish.
    """
    held = book.held[position]
    excess = held - book.target[position] + book.lot_micros // 2
    sale = _floor_to_lot(min(excess, held), book)
    one_more = sale + book.lot_micros
    stays_above = held - sale > book.target[position]
    if stays_above and one_more <= held and not book.is_within_bound(position, held - sale):
        return one_more
    return sale


def _sell_for_buffer(book: Book, sold: list[int], settled: list[int], policy: Policy) -> None:
    """Sell more, from the most overweight symbol on, until the cash buffer is there."""

    def overweight(position: int) -> tuple[int, int]:
        excess = book.held[position] - sold[position] - book.target[position]
        return (-excess * book.price_micros[position], position)

    cash = book.cash_cents + sum(_proceeds(book, i, sold[i], policy) for i in range(len(sold)))
    for position in sorted(range(len(sold)), key=overweight):
        if cash >= book.buffer_cents:
            return
        before = _proceeds(book, position, sold[position], policy)
        more = _fewest_lots_that_raise(
            book, position, sold[position], before + book.buffer_cents - cash, policy
        )
        after = _proceeds(book, position, sold[position] + more, policy)
        if after > before:
            sold[position] += more
            settled[position] = book.held[position] - sold[position]
            cash += after - before


def _fewest_lots_that_raise(
    book: Book, position: int, sold: int, wanted_cents: int, policy: Policy
) -> int:
    """Return what to sell beyond ``sold`` for proceeds of ``wanted_cents``, or all there is."""
    fewest, most = 0, (book.held[position] - sold) // book.lot_micros
    while fewest < most:
        middle = (fewest + most) // 2
        quantity = sold + middle * book.lot_micros
        if _proceeds(book, position, quantity, policy) >= wanted_cents:
            most = middle
        else:
            fewest = middle + 1
    return fewest * book.lot_micros


def _buys(
    book: Book, kept: list[int], settled: list[int], budget: int, policy: Policy
) -> list[int]:
    missing = [max(0, target - held) for held, target in zip(book.held, settled, strict=True)]
    gaps = _within_classes(book, kept, missing)
    wanted = sum(_cost(book, position, gap, policy) for position, gap in enumerate(gaps))
    bought = [0] * len(gaps)
    # Each order's notional and fee round by up to half a cent, before and after the reduction.
    affordable = max(0, budget - 2 * len(gaps)) if wanted > budget else wanted
    for position, gap in enumerate(gaps):
        if missing[position] == 0:
            continue
        reduced = gap * affordable // wanted if wanted else gap
        settled[position] = book.held[position] + reduced
        quantity = _floor_to_lot(reduced, book)
        if quantity > 0 and _is_large_enough(book, position, quantity, policy):
            bought[position] = quantity
    return bought


def _within_classes(book: Book, kept: list[int], gaps: list[int]) -> list[int]:
    """Return gaps reduced in proportion where what whole lots left unsold fills their class."""
    reduced = list(gaps)
    filled = [quantity + gap for quantity, gap in zip(kept, gaps, strict=True)]
    for number, upper in enumerate(book.class_upper_nanos):
        members = book.members(number)
        wanted = sum(notional_cents(gaps[i], book.price_micros[i]) for i in members)
        if wanted and not book.is_within_class_bound(number, filled):
            room = upper * book.wealth_cents // NANOS - book.class_cents(number, kept)
            # Each notional is rounded by up to half a cent, apart and together.
            room = min(wanted, max(0, room - 2 * len(members)))
            for i in members:
                reduced[i] = gaps[i] * room // wanted
    return reduced


def _spend_leftover(
    book: Book,
    kept: list[int],
    bought: list[int],
    settled: list[int],
    budget: int,
    policy: Policy,
) -> None:
    """Buy lots of what is furthest below its target, as long as cash and bounds allow."""
    left = budget - sum(_cost(book, i, bought[i], policy) for i in range(len(bought)))

    def shortfall(position: int) -> tuple[int, int]:
        missing = book.target[position] - book.held[position] - bought[position]
        return (-missing * book.price_micros[position], position)

    for position in sorted(range(len(bought)), key=shortfall):
        quantity = _most_affordable(book, position, kept, bought, left, policy)
        if quantity > bought[position] and _is_large_enough(book, position, quantity, policy):
            left += _cost(book, position, bought[position], policy)
            left -= _cost(book, position, quantity, policy)
            bought[position] = quantity
            reached = min(book.target[position], book.held[position] + quantity)
            settled[position] = max(settled[position], reached)


def _most_affordable(
    book: Book, position: int, kept: list[int], bought: list[int], left: int, policy: Policy
) -> int:
    """Return what may be bought of a symbol in all, up to the lot that reaches its target."""
    held, done = book.held[position], bought[position]
    missing = book.target[position] - held - done
    fewest, most = 0, max(0, -(-missing // book.lot_micros))
    cash = left + _cost(book, position, done, policy)
    after = [quantity + more for quantity, more in zip(kept, bought, strict=True)]

    def is_allowed(lots: int) -> bool:
        quantity = done + lots * book.lot_micros
        reaches_beyond = held + quantity > book.target[position]
        after[position] = kept[position] + quantity
        return (
            _cost(book, position, quantity, policy) <= cash
            and (not reaches_beyond or book.is_within_bound(position, held + quantity))
            and book.is_within_class_bound(book.class_of[position], after)
        )

    while fewest < most:
        middle = (fewest + most + 1) // 2
        if is_allowed(middle):
            fewest = middle
        else:
            most = middle - 1
    return done + fewest * book.lot_micros


def _order(book: Book, position: int, side: Side, quantity: int, policy: Policy) -> Order:
    price = book.price_micros[position]
    notional = notional_cents(quantity, price)
    return Order(position, side, quantity, price, notional, fee_cents(notional, policy))


def _proceeds(book: Book, position: int, quantity: int, policy: Policy) -> int:
    notional = notional_cents(quantity, book.price_micros[position])
    return notional - fee_cents(notional, policy)


def _cost(book: Book, position: int, quantity: int, policy: Policy) -> int:
    notional = notional_cents(quantity, book.price_micros[position])
    return notional + fee_cents(notional, policy)


def _is_large_enough(book: Book, position: int, quantity: int, policy: Policy) -> bool:
    notional = notional_cents(quantity, book.price_micros[position])
    return notional >= policy.minimum_notional_cents


def _floor_to_lot(quantity: int, book: Book) -> int:
    return max(0, quantity) // book.lot_micros * book.lot_micros
