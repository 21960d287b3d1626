"""The universe as a file: what the bundled one holds, and what is refused of a user's own."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from models.vocabulary import AssetClass
from pipelines.errors import SourceError
from pipelines.ingest.universe import BUNDLED, read_universe

HEADER = (
    "universe,symbol,name,asset_class,currency,expense_ratio_bps,substitute_group,"
    "reference_weight,tradable,first_session,member_from,member_until"
)
ROW = "core,SPY,S&P 500 ETF,us_equity,USD,9,US_LARGE,1,true,1993-01-29,1993-01-29,"


@pytest.fixture
def universe_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str) -> Path:
        path = tmp_path / "universe.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


def test_the_bundled_universe_covers_the_asset_classes_and_its_weights_sum_to_one() -> None:
    universe = read_universe()
    rows = universe.instruments.to_pylist()
    held = {row["asset_class"] for row in rows if row["tradable"]}
    assert held == {
        AssetClass.US_EQUITY,
        AssetClass.INTERNATIONAL_EQUITY,
        AssetClass.BOND,
        AssetClass.INFLATION_LINKED,
        AssetClass.REAL_ESTATE,
        AssetClass.COMMODITY,
    }
    assert {row["symbol"] for row in rows if not row["tradable"]} == {"^GSPC", "^VIX"}
    assert sum(row["reference_weight"] for row in rows) == pytest.approx(1)
    assert universe.memberships.num_rows == len(rows)


def test_rows_and_columns_may_come_in_any_order(universe_file: Callable[..., Path]) -> None:
    header, *lines = BUNDLED.read_text("utf-8").splitlines()
    turned = [",".join(reversed(line.split(","))) for line in [header, *reversed(lines)]]
    assert read_universe(universe_file(*turned)).instruments.equals(read_universe().instruments)


def test_an_instrument_may_leave_and_come_back(universe_file: Callable[..., Path]) -> None:
    back = ROW.replace("1993-01-29,1993-01-29,", "1993-01-29,2010-01-04,")
    universe = read_universe(universe_file(HEADER, ROW + "2005-01-03", back))
    assert universe.instruments.num_rows == 1
    assert universe.memberships["member_until"].to_pylist() == [dt.date(2005, 1, 3), None]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ((), "it has no column universe, symbol"),
        ((HEADER,), "it names no instrument"),
        ((HEADER, ROW + ",5"), "line 2 has more cells than columns"),
        ((HEADER.replace("currency,", ""), ROW), "it has no column currency"),
        ((HEADER, ROW.replace("us_equity", "stocks")), "line 2, asset_class 'stocks': allowed"),
        ((HEADER, ROW.replace("SPY", "spy")), "line 2, symbol 'spy': symbols are written"),
        ((HEADER, ROW.replace("SPY", "S PY")), "line 2, symbol 'S PY': it is no symbol"),
        ((HEADER, ROW.replace("SPY", "")), "line 2, symbol '': it must not be empty"),
        ((HEADER, ROW.replace("USD", "dollar")), "line 2, currency 'dollar'"),
        ((HEADER, ROW.replace(",9,", ",-9,")), "line 2, expense_ratio_bps '-9'"),
        ((HEADER, ROW.replace(",9,", ",x,")), "line 2, expense_ratio_bps 'x'"),
        ((HEADER, ROW.replace(",1,true", ",nan,true")), "line 2, reference_weight 'nan'"),
        ((HEADER, ROW.replace(",1,true", ",0.5,true")), "the reference weights sum to 0.5"),
        ((HEADER, ROW.replace("true", "yes")), "line 2, tradable 'yes': it must be true"),
        ((HEADER, ROW.replace("1993-01-29,1993", "1993-01-30,1993")), "line 2, first_session"),
        ((HEADER, ROW.replace("1993-01-29,1993", "29.1.1993,1993")), "line 2, first_session"),
        ((HEADER, ROW + "1990-01-02"), "line 2: first_session, member_from and member_until"),
        ((HEADER, ROW, ROW), "SPY is twice in universe core on 1993-01-29"),
        ((HEADER, ROW, ROW.replace("core", "other").replace(",9,", ",8,")), "SPY is described"),
        ((HEADER, '"' + ROW), "it cannot be read"),
    ],
)
def test_a_file_that_is_not_allowed_says_where_and_why(
    lines: tuple[str, ...], problem: str, universe_file: Callable[..., Path]
) -> None:
    with pytest.raises(SourceError) as caught:
        read_universe(universe_file(*lines))
    assert caught.value.problem.startswith(problem)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.csv.*No such file"):
        read_universe(tmp_path / "nowhere.csv")
