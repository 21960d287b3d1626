"""Columns that all versioned inputs share: which version, recorded when and by whom."""

from models.declaration import Column, integer, text, timestamp


def recorded() -> tuple[Column, ...]:
    """Declare when a row was recorded, and by whom."""
    return (
        timestamp("recorded_at", "when this version was recorded"),
        text("recorded_by", "who or what recorded it"),
    )


def version_of(owner: str) -> Column:
    """Declare the version that rows of one owner share; the owner's highest is the current one."""
    return integer("version", f"version of the {owner}'s rows, from 1", "count", at_least=1)
