"""The fault benchmark: faults through the real ingest and checks, compared with their truth."""

import datetime as dt
from pathlib import Path

import pytest

from benchmarks.faults.evidence import Evidence, Notice
from benchmarks.faults.files import file_outcomes
from benchmarks.faults.market import Outcome, market_outcomes
from benchmarks.faults.score import scores
from pipelines.ingest.simulated.faults import CATALOGUE, Truth

DAY, NEXT = dt.date(2024, 6, 3), dt.date(2024, 6, 4)


@pytest.mark.long
def test_each_way_of_noticing_a_fault_of_the_market_is_told_apart(tmp_path: Path) -> None:
    expected = {
        "unit_100x": Notice.REJECTED,
        "split_lost": Notice.REJECTED,
        "history_restated": Notice.RESTATEMENT,
        "symbol_silent": Notice.NOTE,
    }
    outcomes, held_back, rows = market_outcomes(tmp_path, 1, [CATALOGUE[name] for name in expected])
    at_stake = {
        one.fault.name: one.notice for one in outcomes if one.severity == one.fault.matters_from
    }
    assert at_stake == expected
    assert rows > 10_000
    assert 0 < held_back < rows / 10


def test_a_folder_tells_of_its_broken_files_and_keeps_the_others(tmp_path: Path) -> None:
    names = ("empty_file", "not_a_table", "text_in_number")
    outcomes, lost = file_outcomes(tmp_path, 2, [CATALOGUE[name] for name in names])
    assert {one.fault.name for one in outcomes} == set(names)
    assert all(one.notice is Notice.PROBLEM for one in outcomes)
    assert lost == 0


def test_only_what_is_said_of_the_wrong_rows_counts() -> None:
    evidence = Evidence()
    evidence.rejected["ACME"].append((NEXT, "move_is_plausible"))
    assert evidence.notice(Truth("ACME", DAY, DAY, "")) is None
    assert evidence.notice(Truth("BOLT", DAY, NEXT, "")) is None
    assert evidence.notice(Truth("ACME", DAY, NEXT, "")) == (Notice.REJECTED, NEXT)


def test_a_kind_is_caught_from_the_severity_after_which_none_falls_short() -> None:
    fault = CATALOGUE["bad_bar"]
    truth = Truth("ACME", DAY, DAY, "")
    caught_at = {0.005: Notice.REJECTED, 0.01: None, 0.02: Notice.REJECTED, 0.05: Notice.REJECTED}
    (score,) = scores(Outcome(fault, level, truth, way) for level, way in caught_at.items())
    assert score.caught_from == 0.02
    assert score.at_stake.share == 1
    assert [rung.caught for rung in score.rungs] == [1, 0, 1, 1]
