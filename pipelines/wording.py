"""Words that alerts, errors and pages share."""


def some(names: list[str], most: int = 12) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
