"""How reports look on a terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def terminal_text(report: object) -> "Text":
    """Return the report's own words, of which no bracket is taken for markup."""
    from rich.text import Text

    return Text(str(report))
