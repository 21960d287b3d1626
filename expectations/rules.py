"""Building blocks of the suites: an expectation with its rule's name, reason and remedy."""

from collections.abc import Iterator
from typing import Any

import great_expectations.expectations as gxe

from models.declaration import Column, ColumnType, Table

_REFETCH = (
    "Compare with another source; if the source corrects the row, the new version is judged anew."
)


def rule(
    expectation: type[gxe.Expectation],
    name: str,
    reason: str,
    remedy: str = _REFETCH,
    *,
    shows: tuple[str, ...],
    **arguments: Any,
) -> gxe.Expectation:
    """Return an expectation that explains itself.

    Parameters
    ----------
    name : the rule's name, unique in its suite; what a row *does* that passes.
    reason : what is wrong with a row that fails, as the end of a sentence.
    shows : columns whose values a report of a failure should quote.
    """
    meta = {"rule": name, "reason": reason, "remedy": remedy, "shows": list(shows)}
    return expectation(meta=meta, **arguments)


def columns_are_declared(table: Table) -> gxe.Expectation:
    """Return the expectation that a batch has the declared columns, no more and no fewer."""
    return rule(
        gxe.ExpectTableColumnsToMatchSet,
        "columns_are_declared",
        f"the columns are not those of {table.name}",
        "Bring provider and declaration in line.",
        shows=(),
        column_set=list(table.column_names),
        exact_match=True,
    )


def declared(table: Table) -> Iterator[gxe.Expectation]:
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
    yield rule(
        gxe.ExpectCompoundColumnsToBeUnique,
        "key_is_unique",
        "the source delivered several rows for one key that contradict each other",
        shows=tuple(name for name in ("close",) if name in table.column_names),
        column_list=list(table.key),
    )


def is_present(column: str) -> gxe.Expectation:
    """Return the expectation that a column has a value in every row."""
    return rule(
        gxe.ExpectColumnValuesToNotBeNull,
        f"{column}_is_present",
        f"the {_words(column)} is missing",
        shows=(column,),
        column=column,
    )


def is_between(
    column: str, at_least: float | None, at_most: float | None, *, above: bool = False
) -> gxe.Expectation:
    """Return the expectation that a number lies within bounds; ``above`` excludes the lower one."""
    least = "" if at_least is None else f"{'above' if above else 'at least'} {at_least:,.10g}"
    most = "" if at_most is None else f"at most {at_most:,.10g}"
    return rule(
        gxe.ExpectColumnValuesToBeBetween,
        f"{column}_is_in_range",
        f"the {_words(column)} is not {' and '.join(filter(None, (least, most)))}",
        shows=(column,),
        column=column,
        min_value=at_least,
        max_value=at_most,
        strict_min=above,
    )


def is_one_of(
    column: str, values: list[Any], name: str, reason: str, remedy: str = _REFETCH
) -> gxe.Expectation:
    """Return the expectation that a column holds one of the values."""
    return rule(
        gxe.ExpectColumnValuesToBeInSet,
        name,
        reason,
        remedy,
        shows=(column,),
        column=column,
        value_set=values,
    )


def is_not_below(larger: str, smaller: str) -> gxe.Expectation:
    """Return the expectation that one column is at least another, where both have values."""
    return rule(
        gxe.ExpectColumnPairValuesAToBeGreaterThanB,
        f"{larger}_is_not_below_{smaller}",
        f"the {_words(larger)} is below the {_words(smaller)}",
        shows=(larger, smaller),
        column_A=larger,
        column_B=smaller,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    )


def _in_vocabulary(column: Column) -> gxe.Expectation:
    words = [str(word.value) for word in column.allowed or ()]
    return is_one_of(
        column.name,
        words,
        f"{column.name}_is_in_vocabulary",
        f"the {_words(column.name)} is none of {', '.join(words)}",
    )


def _words(column: str) -> str:
    return column.replace("_", " ")
