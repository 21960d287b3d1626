"""Numbers as a person reads them in tables and sentences."""

MISSING = "-"


def percent(share: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """Return a share as percent."""
    if share is None:
        return MISSING
    return f"{100 * share:{'+' if signed else ''}.{digits}f} %"


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """Return a number with so many digits after the point."""
    if value is None:
        return MISSING
    return f"{value:{'+' if signed else ''}.{digits}f}"


def p_value(value: float | None) -> str:
    """Return a p value; below 0.001 only that."""
    if value is None:
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_words(value: float | None) -> str:
    """Return a p value as a sentence has it."""
    said = p_value(value)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def span(low: float | None, high: float | None, digits: int = 4) -> str:
    """Return the range between two numbers."""
    if low is None or high is None:
        return MISSING
    return f"{low:.{digits}f} to {high:.{digits}f}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where there is not one."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
