"""The small language in which tables are declared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TypeAlias, TypedDict, Unpack

Vocabulary: TypeAlias = type[StrEnum]
"""The words that a text column is restricted to."""


class ColumnType(Enum):
    """Logical types; each room translates them once (Arrow, SQLAlchemy, DuckDB)."""

    TEXT = "text"
    INTEGER = "integer"  # signed 64 bit
    FLOAT = "float"  # IEEE 754 binary64
    SINGLE = "single"  # IEEE 754 binary32
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"  # microseconds, UTC


@dataclass(frozen=True)
class Column:
    """One column: its type, its unit where a number has one, and what it means.

    ``allowed`` names the vocabulary a text column is restricted to. ``at_least`` and ``at_most``
    bound a number, both inclusive. ``personal`` are values that tell who somebody is, or the key
    under which another system knows them: analysts do not see them, and no copy has them.
    """

    name: str
    type: ColumnType
    meaning: str
    unit: str | None = None
    nullable: bool = False
    allowed: Vocabulary | None = None
    at_least: float | None = None
    at_most: float | None = None
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """One table or dataset: its grain in words, its key and its columns.

    ``references`` maps a local column to ``"table.column"`` of the same store. ``unique`` lists
    sets of columns, besides the key, that no two rows share. Where rows are ``found_by`` fewer
    columns than the key has, the database has an index of these in its place, and whoever writes
    keeps to the key. ``partial_indexes`` maps conditions to the columns of indexes that have only
    rows of which they hold.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    references: dict[str, str] = field(default_factory=dict)
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    found_by: tuple[str, ...] = ()
    partial_indexes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self.column_names
        duplicates = {name for name in names if names.count(name) > 1}
        groups = (*self.indexes, *self.unique, *self.partial_indexes.values(), self.found_by)
        grouped = {name for group in groups for name in group}
        unknown = {*self.key, *self.references, *grouped} - set(names)
        if duplicates or unknown:
            raise ValueError(
                f"table {self.name!r}: duplicate columns {sorted(duplicates)}, "
                f"undeclared columns in key, references, indexes or unique {sorted(unknown)}"
            )

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in declared order."""
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)


def text(
    name: str,
    meaning: str,
    *,
    nullable: bool = False,
    allowed: Vocabulary | None = None,
    personal: bool = False,
) -> Column:
    """Declare a text column, optionally restricted to a vocabulary."""
    return Column(
        name, ColumnType.TEXT, meaning, nullable=nullable, allowed=allowed, personal=personal
    )


class Limits(TypedDict, total=False):
    """What a declaration of a number may add; the meanings are those of :class:`Column`."""

    nullable: bool
    at_least: float | None
    at_most: float | None


def integer(name: str, meaning: str, unit: str, **limits: Unpack[Limits]) -> Column:
    """Declare a 64-bit integer column with its unit."""
    return Column(name, ColumnType.INTEGER, meaning, unit=unit, **limits)


def number(name: str, meaning: str, unit: str, **limits: Unpack[Limits]) -> Column:
    """Declare a binary64 column with its unit."""
    return Column(name, ColumnType.FLOAT, meaning, unit=unit, **limits)


def single(name: str, meaning: str, unit: str, **limits: Unpack[Limits]) -> Column:
    """Declare a number that is computed in binary64 and stored in binary32, with its unit."""
    return Column(name, ColumnType.SINGLE, meaning, unit=unit, **limits)


def boolean(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Declare a true-or-false column."""
    return Column(name, ColumnType.BOOLEAN, meaning, nullable=nullable)


def date(name: str, meaning: str, *, nullable: bool = False, personal: bool = False) -> Column:
    """Declare a calendar date column."""
    return Column(name, ColumnType.DATE, meaning, nullable=nullable, personal=personal)


def timestamp(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Declare a moment in UTC with microseconds."""
    return Column(name, ColumnType.TIMESTAMP, meaning, nullable=nullable)
