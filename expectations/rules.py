"""The language of the rules: what a row must satisfy, as plain data.

A :class:`Rule` says in words what a row that fails it has wrong, and holds one *demand*. Demands
are few and simple, so that they can be evaluated in two ways that must agree: by Great
Expectations (``expectations.suites``) and vectorised over Arrow columns (``pipelines.quality``).
A missing value satisfies every demand but :class:`Present`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from models.declaration import Column, ColumnType, Table

_REFETCH = (
    "Compare with another source; if the source corrects the row, the new version is judged anew."
)


@dataclass(frozen=True)
class Present:
    """The column has a value."""

    column: str


@dataclass(frozen=True)
class Between:
    """The number lies within bounds, both inclusive; ``above`` excludes the lower one."""

    column: str
    at_least: float | None = None
    at_most: float | None = None
    above: bool = False


@dataclass(frozen=True)
class OneOf:
    """The value is one of some."""

    column: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Matches:
    """The text matches a regular expression."""

    column: str
    pattern: str


@dataclass(frozen=True)
class NotBelow:
    """One column is at least another, where both have values."""

    larger: str
    smaller: str


@dataclass(frozen=True)
class Unique:
    """No two rows share the values of these columns."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """The batch has these columns, no more and no fewer; a demand on the batch as a whole."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class SumWithin:
    """The column sums to above 0 and at most a bound; a demand on the batch as a whole."""

    column: str
    at_most: float


Demand: TypeAlias = Present | Between | OneOf | Matches | NotBelow | Unique | Columns | SumWithin


@dataclass(frozen=True)
class Where:
    """Restricts a rule to the rows in which a column has a value."""

    column: str
    value: bool | str


@dataclass(frozen=True)
class Rule:
    """One expectation that explains itself.

    ``name`` says what a row does that passes and is unique in its suite; ``reason`` says what is
    wrong with a row that fails, as the end of a sentence; ``shows`` are the columns whose values
    a report of a failure quotes.
    """

    name: str
    demand: Demand
    reason: str
    remedy: str = _REFETCH
    shows: tuple[str, ...] = ()
    where: Where | None = None


@dataclass(frozen=True)
class Suite:
    """The rules of one boundary table, or of one step in judging it."""

    name: str
    rules: tuple[Rule, ...]

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __getitem__(self, name: str) -> Rule:
        return next(rule for rule in self.rules if rule.name == name)


def columns_are_declared(table: Table) -> Rule:
    """Return the rule that a batch has the declared columns, no more and no fewer."""
    return Rule(
        "columns_are_declared",
        Columns(table.column_names),
        f"the columns are not those of {table.name}",
        "Bring provider and declaration in line.",
    )


def declared(table: Table) -> Iterator[Rule]:
    """Yield what the declaration alone demands of each row: presence, vocabulary, bounds, key."""
    for column in table:
        if not column.nullable:
            yield is_present(column.name)
        if column.allowed is not None:
            yield _in_vocabulary(column)
        if column.type in (ColumnType.INTEGER, ColumnType.FLOAT) and (
            column.at_least is not None or column.at_most is not None
        ):
            yield is_between(column.name, column.at_least, column.at_most)
    yield Rule(
        "key_is_unique",
        Unique(table.key),
        "the source delivered several rows for one key that contradict each other",
        shows=tuple(name for name in ("close", "amount", "value") if name in table.column_names),
    )


def is_present(column: str) -> Rule:
    """Return the rule that a column has a value in every row."""
    return Rule(
        f"{column}_is_present",
        Present(column),
        f"the {_words(column)} is missing",
        shows=(column,),
    )


def is_between(
    column: str, at_least: float | None, at_most: float | None, *, above: bool = False
) -> Rule:
    """Return the rule that a number lies within bounds; ``above`` excludes the lower one."""
    least = "" if at_least is None else f"{'above' if above else 'at least'} {at_least:,.10g}"
    most = "" if at_most is None else f"at most {at_most:,.10g}"
    return Rule(
        f"{column}_is_in_range",
        Between(column, at_least, at_most, above),
        f"the {_words(column)} is not {' and '.join(filter(None, (least, most)))}",
        shows=(column,),
    )


def is_not_below(larger: str, smaller: str) -> Rule:
    """Return the rule that one column is at least another, where both have values."""
    return Rule(
        f"{larger}_is_not_below_{smaller}",
        NotBelow(larger, smaller),
        f"the {_words(larger)} is below the {_words(smaller)}",
        shows=(larger, smaller),
    )


def _in_vocabulary(column: Column) -> Rule:
    words = tuple(str(word.value) for word in column.allowed or ())
    return Rule(
        f"{column.name}_is_in_vocabulary",
        OneOf(column.name, words),
        f"the {_words(column.name)} is none of {', '.join(words)}",
        shows=(column.name,),
    )


def _words(column: str) -> str:
    return column.replace("_", " ")
