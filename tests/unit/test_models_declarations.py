"""The declarations themselves: names, keys, references and meanings hold together."""

import pytest

from models import lake, store_inputs, store_outputs
from models.declaration import ColumnType, Table, integer, text
from models.vocabulary import CASH

STORE = (*store_inputs.INPUTS, *store_inputs.REFERENCE, *store_outputs.OUTPUTS)
ALL = (*lake.RAW, lake.QUARANTINED_PRICES, *STORE)


def _named(tables: tuple[Table, ...]) -> list[object]:
    return [pytest.param(table, id=table.name) for table in tables]


@pytest.mark.parametrize("table", _named(ALL))
def test_key_columns_are_never_null(table: Table) -> None:
    assert table.key
    assert not any(table[name].nullable for name in table.key)


@pytest.mark.parametrize("table", _named(ALL))
def test_every_column_says_what_it_means_and_every_number_has_a_unit(table: Table) -> None:
    for column in table:
        assert column.meaning
        if column.type in (ColumnType.INTEGER, ColumnType.FLOAT):
            assert column.unit, column.name


@pytest.mark.parametrize("table", _named(STORE))
def test_references_point_at_the_key_of_a_declared_table(table: Table) -> None:
    declared = {other.name: other for other in STORE}
    for column, target in table.references.items():
        name, key = target.split(".")
        assert declared[name].key == (key,)
        assert declared[name][key].type is table[column].type


def test_table_names_of_the_store_are_unique() -> None:
    names = [table.name for table in STORE]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("table", _named(STORE))
def test_money_quantities_and_prices_of_the_store_are_integers(table: Table) -> None:
    for column in table:
        if column.name.endswith(("_cents", "_micros")):
            assert column.type is ColumnType.INTEGER, column.name


def test_personal_data_is_declared_in_one_table_that_no_snapshot_copies() -> None:
    personal = {"full_name", "email", "birth_date", "external_ref"}
    holders = [table.name for table in ALL if personal & set(table.column_names)]
    assert holders == ["client_identity"]
    assert store_inputs.CLIENT_IDENTITY not in store_inputs.SNAPSHOT
    copied = {name for table in store_inputs.SNAPSHOT for name in table.column_names}
    assert not copied & {*personal, "external_id"}


def test_a_table_refuses_a_key_that_it_does_not_declare() -> None:
    with pytest.raises(ValueError, match=r"undeclared columns.*'b'"):
        Table(name="t", grain="", key=("b",), columns=(text("a", "x"),))


def test_a_table_refuses_two_columns_of_one_name() -> None:
    with pytest.raises(ValueError, match=r"duplicate columns \['a'\]"):
        Table(name="t", grain="", key=("a",), columns=(text("a", "x"), integer("a", "y", "z")))


def test_cash_is_a_symbol_that_no_exchange_uses() -> None:
    assert CASH == "$CASH"
