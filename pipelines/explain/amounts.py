"""Numbers as a person reads them; a missing one is a dash, never a zero."""

from models.vocabulary import CASH, MICROS

_MICROS_DIGITS = 6


def dollars(cents: int | None, *, is_signed: bool = False) -> str:
    """Return cents as US dollars."""
    if cents is None:
        return "unknown"
    sign = "-" if cents < 0 else "+" if is_signed and cents else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def whole_dollars(cents: int) -> str:
    """Return cents as US dollars without cents."""
    return dollars(round(cents / 100) * 100).removesuffix(".00")


def about_dollars(cents: int) -> str:
    """Return cents as US dollars of three digits: more would claim to know the future."""
    unit = max(100, 10 ** (len(str(abs(cents))) - 3))
    return whole_dollars(round(cents / unit) * unit)


def shares(micros: int, *, is_signed: bool = False) -> str:
    """Return millionths of a share as shares, with all their digits."""
    sign = "-" if micros < 0 else "+" if is_signed and micros else ""
    whole, part = divmod(abs(micros), MICROS)
    digits = f"{part:0{_MICROS_DIGITS}d}".rstrip("0")
    return f"{sign}{whole:,}" + (f".{digits}" if digits else "")


def price(micros: int) -> str:
    """Return a price per share in US dollars."""
    return f"${micros / MICROS:,.2f}"


def percent(fraction: float | None, digits: int = 1, *, is_signed: bool = False) -> str:
    """Return a fraction in percent."""
    if fraction is None:
        return "-"
    rounded = round(100 * fraction, digits) + 0.0  # no minus zero
    if fraction and not rounded and not is_signed:
        return f"{'<' if fraction > 0 else '>-'}{10**-digits:.{digits}f}%"
    return f"{rounded:{'+' if is_signed else ''}.{digits}f}%"


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with some significant digits."""
    return "-" if value is None else f"{value:.{digits}g}"


def symbol_name(symbol: str) -> str:
    """Return what a symbol is called in a table."""
    return "cash" if symbol == CASH else symbol
