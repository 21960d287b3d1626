"""The store's tables for SQLAlchemy, built from the declarations in ``models``."""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from models import declaration as declared
from models.declaration import ColumnType
from models.store_audit import AUDIT_ENTRY
from models.store_inputs import INPUTS, REFERENCE
from models.store_outputs import OUTPUTS

SCHEMA_VERSION = "0013"
"""Alembic revision that this code reads and writes."""

DECLARED = (*INPUTS, *REFERENCE, *OUTPUTS, AUDIT_ENTRY)

_FINITE_BOUND: sa.ColumnElement[float] = sa.literal_column("1e308")
# PostgreSQL ranks NaN above every number, so a bound on each side refuses it with the infinities.


class UtcTimestamp(sa.types.TypeDecorator[dt.datetime]):
    """A moment in UTC on every backend; a naive datetime is refused, never guessed at."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return the moment in UTC; SQLite stores it without its zone.

        Raises
        ------
        ValueError
            The datetime is naive.
        """
        if value is None:
            return None
        moment = to_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> dt.datetime | None:
        """Return the moment with its zone, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def to_utc(moment: dt.datetime) -> dt.datetime:
    """Return an aware datetime in UTC.

    Raises
    ------
    ValueError
        The datetime is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment.isoformat()}: give it a time zone")
    return moment.astimezone(dt.UTC)


_TYPES: Mapping[ColumnType, type[sa.types.TypeEngine[Any]]] = {
    ColumnType.TEXT: sa.Text,
    ColumnType.INTEGER: sa.BigInteger,
    ColumnType.FLOAT: sa.Double,
    ColumnType.BOOLEAN: sa.Boolean,
    ColumnType.DATE: sa.Date,
    ColumnType.TIMESTAMP: UtcTimestamp,
}


def build_metadata(declarations: tuple[declared.Table, ...]) -> sa.MetaData:
    """Return the tables of the declarations, with every constraint named."""
    metadata = sa.MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    for declaration in declarations:
        _add_table(metadata, declaration)
    return metadata


def _add_table(metadata: sa.MetaData, declaration: declared.Table) -> None:
    columns = [
        sa.Column(
            column.name,
            _TYPES[column.type](),
            primary_key=column.name in declaration.key and not declaration.found_by,
            nullable=column.nullable,
            autoincrement=False,
        )
        for column in declaration
    ]
    table = sa.Table(declaration.name, metadata, *columns)
    for column in declaration:
        for rule, condition in _conditions(column, table.c[column.name]):
            table.append_constraint(sa.CheckConstraint(condition, name=f"{column.name}_{rule}"))
    for name, target in declaration.references.items():
        table.append_constraint(sa.ForeignKeyConstraint([name], [target]))
    for names in declaration.unique:
        table.append_constraint(sa.UniqueConstraint(*names))
    for names in (*declaration.indexes, declaration.found_by):
        if names:
            sa.Index(None, *(table.c[name] for name in names))
    for which, names in declaration.partial_indexes.items():
        where = sa.text(which)
        indexed = (table.c[name] for name in names)
        sa.Index(None, *indexed, postgresql_where=where, sqlite_where=where)


def _conditions(
    declaration: declared.Column, column: sa.Column[Any]
) -> list[tuple[str, sa.ColumnElement[bool]]]:
    conditions: list[tuple[str, sa.ColumnElement[bool]]] = []
    if declaration.allowed is not None:
        conditions.append(("allowed", column.in_([word.value for word in declaration.allowed])))
    if declaration.at_least is not None:
        conditions.append(("at_least", column >= _literal(declaration, declaration.at_least)))
    if declaration.at_most is not None:
        conditions.append(("at_most", column <= _literal(declaration, declaration.at_most)))
    if declaration.type is ColumnType.FLOAT:
        finite = sa.and_(column > -_FINITE_BOUND, column < _FINITE_BOUND)
        conditions.append(("finite", finite))
    if declaration.type is ColumnType.BOOLEAN:
        conditions.append(("boolean", column.in_([sa.false(), sa.true()])))
    return conditions


def _literal(declaration: declared.Column, bound: float) -> float | int:
    return int(bound) if declaration.type is ColumnType.INTEGER else bound


metadata = build_metadata(DECLARED)

tables: Mapping[str, sa.Table] = MappingProxyType(dict(metadata.tables))
"""Every table of the store by name."""

declarations: Mapping[str, declared.Table] = MappingProxyType(
    {declaration.name: declaration for declaration in DECLARED}
)
"""The declaration that each table was built from."""
