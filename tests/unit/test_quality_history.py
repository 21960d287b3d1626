"""Bars beside their accepted past, with numbers that can be checked by hand."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.quality.history import with_history

DAY = dt.date(2020, 1, 1)


def bars(closes: list[float], *, symbol: str = "A", old: int = 0) -> pd.DataFrame:
    """Bars of one symbol, the first ``old`` of them accepted before."""
    return pd.DataFrame(
        {
            "symbol": symbol,
            "session_date": [DAY + dt.timedelta(days=number) for number in range(len(closes))],
            "asset_class": "energy",
            "close": closes,
            "is_new": [number >= old for number in range(len(closes))],
        }
    )


def judged(frame: pd.DataFrame, factor: float = 3.0) -> pd.DataFrame:
    return with_history(frame, lambda asset_class: math.log(factor))


def moves(frame: pd.DataFrame) -> list[float]:
    return [round(math.exp(move), 6) for move in judged(frame)["log_move"]]


def test_a_move_is_measured_from_the_close_before() -> None:
    assert moves(bars([1, 2, 1, 1.5]))[1:] == [2, 0.5, 1.5]
    assert math.isnan(judged(bars([1, 2]))["log_move"][0])


def test_after_a_bad_tick_the_next_bar_is_measured_from_the_last_good_one() -> None:
    assert moves(bars([10, 1000, 11, 12]))[1:] == [100, 1.1, round(12 / 11, 6)]


def test_a_jump_that_stays_is_measured_from_the_old_level_for_ever() -> None:
    assert moves(bars([10, 100, 101, 102]))[1:] == [10, 10.1, 10.2]


def test_a_bar_that_was_accepted_before_is_a_reference_whatever_it_says() -> None:
    assert moves(bars([10, 100, 101], old=2))[1:] == [10, 1.01]


def test_a_limit_belongs_to_the_class_of_the_instrument() -> None:
    frame = pd.concat([bars([10, 20, 21]), bars([10, 20, 21], symbol="I")])
    frame.loc[frame["symbol"] == "I", "asset_class"] = "index"
    limits = {"energy": math.log(3), "index": math.log(1.5)}
    with_past = with_history(frame.reset_index(drop=True), lambda name: limits[name or ""])
    ratios = np.exp(with_past["log_move"].to_numpy())
    assert ratios[[1, 2, 4, 5]] == pytest.approx([2, 1.05, 2, 2.1])


def test_repeats_of_a_close_are_counted_until_it_changes() -> None:
    assert judged(bars([5, 5, 5, 6, 6, 5]))["unchanged_sessions"].tolist() == [0, 1, 2, 0, 1, 0]


def test_a_bad_tick_does_not_interrupt_a_stale_price() -> None:
    counted = judged(bars([5, 5, 500, 5]))["unchanged_sessions"].tolist()
    assert counted[:2] == [0, 1]
    assert math.isnan(counted[2])
    assert counted[3] == 2


def test_symbols_do_not_mix() -> None:
    frame = pd.concat([bars([5, 5]), bars([5, 5], symbol="B")], ignore_index=True)
    with_past = judged(frame)
    assert with_past["unchanged_sessions"].tolist() == [0, 1, 0, 1]
    assert with_past["log_move"].isna().tolist() == [True, False, True, False]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 2.0, 9.0, 10.0, 900.0]), min_size=2, max_size=12),
    st.integers(1, 11),
)
def test_a_verdict_depends_on_no_later_bar(closes: list[float], known: int) -> None:
    columns = ["log_move", "unchanged_sessions"]
    whole = judged(bars(closes))[columns].head(known)
    alone = judged(bars(closes[:known]))[columns]
    pd.testing.assert_frame_equal(whole, alone, check_exact=True)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 2.0, 9.0, 10.0, 900.0]), min_size=2, max_size=12),
    st.integers(1, 11),
)
def test_judging_day_by_day_and_all_at_once_agree(closes: list[float], known: int) -> None:
    """After the first days' bad bars are taken out, the later days get the same numbers."""
    whole = judged(bars(closes))
    plausible = ~(whole["log_move"].abs() > math.log(3))
    later = whole.index >= known
    view = whole[plausible | later].assign(is_new=later[plausible | later])
    again = judged(view.drop(columns=["log_move", "unchanged_sessions"]).reset_index(drop=True))
    columns = ["log_move", "unchanged_sessions"]
    pd.testing.assert_frame_equal(
        again[again["is_new"]][columns].reset_index(drop=True),
        whole[later][columns].reset_index(drop=True),
        check_exact=True,
    )
