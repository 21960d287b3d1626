"""Small pieces of Markdown and of sentences."""

from collections.abc import Sequence


def joined(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def has(names: Sequence[str]) -> str:
    """Return the verb that fits so many names."""
    return "has" if len(names) == 1 else "have"


def bullets(*lines: str) -> str:
    """Return lines as a list."""
    return "\n".join(f"- {line}" for line in lines)
