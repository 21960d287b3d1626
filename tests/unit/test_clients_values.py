"""Cells of a client file are read exactly or refused."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import MICROS, AssetClass, PreferenceKind
from pipelines.clients import values
from pipelines.clients.columns import COLUMNS, CsvColumn
from pipelines.clients.values import ValueProblem

symbols = st.from_regex(r"[A-Z0-9][A-Z0-9.\-]{0,9}", fullmatch=True)
micros = st.integers(min_value=1, max_value=values.MAX_SHARES * MICROS)


@given(cents=st.integers(min_value=0, max_value=values.MAX_DOLLARS * 100))
def test_dollars_become_the_same_number_of_cents(cents: int) -> None:
    assert values.dollars_to_cents(f"{cents // 100}.{cents % 100:02d}") == cents


@given(quantity=micros)
def test_a_quantity_becomes_the_same_number_of_micros(quantity: int) -> None:
    assert values.quantity_to_micros(f"{Decimal(quantity).scaleb(-6):f}") == quantity


@given(held=st.dictionaries(symbols, micros, max_size=20))
def test_holdings_are_read_back_as_written(held: dict[str, int]) -> None:
    text = " ; ".join(f"{symbol}:{Decimal(n).scaleb(-6):f}" for symbol, n in held.items())
    assert dict(values.holdings(text)) == held


@given(
    excluded=st.sets(
        st.one_of(
            st.tuples(st.just(PreferenceKind.EXCLUDE_SYMBOL), symbols),
            st.tuples(st.just(PreferenceKind.EXCLUDE_CLASS), st.sampled_from(AssetClass).map(str)),
        )
    )
)
def test_exclusions_are_read_back_as_written(excluded: set[tuple[PreferenceKind, str]]) -> None:
    words = {PreferenceKind.EXCLUDE_SYMBOL: "symbol", PreferenceKind.EXCLUDE_CLASS: "class"}
    text = ";".join(f"{words[kind]}:{subject}" for kind, subject in excluded)
    assert set(values.exclusions(text)) == excluded


@given(day=st.dates())
def test_a_date_is_read_back_as_written(day: dt.date) -> None:
    assert values.iso_date(day.isoformat()) == day


@given(text=st.text(), column=st.sampled_from(COLUMNS))
def test_any_text_is_read_or_refused_but_breaks_nothing(text: str, column: CsvColumn) -> None:
    try:
        column.read(text)
    except ValueProblem as error:
        assert error.problem and error.remedy


@pytest.mark.parametrize("text", ["Jane Doe", "JANE:1.2.3", "symbol:Jane", "class:Jane", "Jane@@"])
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_what_is_kept_of_a_refusal_never_quotes_the_cell(text: str, column: CsvColumn) -> None:
    try:
        column.read(text)
    except ValueProblem as error:
        assert "jane" not in str(error).lower()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no plain number"),
        ("-1", "negative"),
        ("1.005", "more than 2 decimals"),
        ("1,000", "no plain number"),
        ("$5", "no plain number"),
        ("1e5", "no plain number"),
        ("nan", "no plain number"),
        ("٣", "no plain number"),
        ("1000000000.01", "above the limit"),
        ("9" * 15, "above the limit"),
    ],
)
def test_an_amount_that_is_no_plain_dollars_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueProblem, match=problem):
        values.dollars_to_cents(text)


def test_a_hundredth_of_a_dollar_does_not_pass_through_binary_fractions() -> None:
    # 0.29 * 100 is 28.999999999999996 in binary.
    assert values.dollars_to_cents("0.29") == 29


def test_zeros_after_the_last_allowed_decimal_are_no_mistake() -> None:
    assert values.dollars_to_cents("1.5000") == 150


@pytest.mark.parametrize(
    ("text", "problem", "part"),
    [
        ("AAPL:-1", "quantity is wrong: it is negative", "AAPL:-1"),
        ("MSFT:1;AAPL:0", "quantity is zero", "AAPL:0"),
        ("AAPL:1.0000001", "more than 6 decimals", "AAPL:1.0000001"),
        ("AAPL:1;AAPL:2", "listed twice", "AAPL"),
        ("AAPL", "no list of holdings", "AAPL"),
        ("AAPL:1;;MSFT:2", "no list of holdings", ""),
        ("$CASH:10", "no instrument", "$CASH:10"),
        ("AAPL:1,MSFT:2", "quantity is wrong", "AAPL:1,MSFT:2"),
    ],
)
def test_a_wrong_holding_is_named(text: str, problem: str, part: str) -> None:
    with pytest.raises(ValueProblem, match=problem) as caught:
        values.holdings(text)
    assert caught.value.part == part


@pytest.mark.parametrize("text", ["energy", "class:coal", "symbol:", "sector:energy", ";"])
def test_a_wrong_exclusion_is_refused(text: str) -> None:
    with pytest.raises(ValueProblem):
        values.exclusions(text)


@pytest.mark.parametrize("text", ["20220101", "2022-W01-1", "2022-02-30", "1/2/2022", "today"])
def test_a_date_is_written_in_one_way_only(text: str) -> None:
    with pytest.raises(ValueProblem, match="no date"):
        values.iso_date(text)


@pytest.mark.parametrize("text", ["0", "0.0", "1.01", "-0.2", "25%"])
def test_a_cap_lies_above_zero_and_at_most_at_one(text: str) -> None:
    with pytest.raises(ValueProblem):
        values.weight(text)


def test_no_cap_is_a_cap_of_one() -> None:
    assert values.weight("") == 1.0


@pytest.mark.parametrize(
    "name", ["\u0645\u06cc\u200c\u0646\u0627", "\u0dc1\u0dca\u200d\u0dbb\u0dd3"]
)
def test_a_name_may_be_spelt_with_joiners(name: str) -> None:
    assert values.plain_text(20)(name) == name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("\u200d\u200c", "empty"),
        ("Jane\u202eDoe", "invisible"),
        ("Jane\u200bDoe", "invisible"),
        ("Jane\u200d\x1b[2JDoe", "invisible"),
    ],
)
def test_text_that_shows_nothing_or_something_else_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueProblem, match=problem):
        values.plain_text(20)(text)
