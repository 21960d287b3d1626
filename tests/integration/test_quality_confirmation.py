"""Great Expectations and the vectorised judge evaluate the same rules and agree row by row."""

import numpy as np
import pyarrow as pa
import pytest
from stock_bars import stock, table

from expectations.actions import ACTION_SUITE
from expectations.instruments import INSTRUMENT_SUITE
from expectations.prices import HISTORY_COLUMNS
from models.lake import ACTIONS, INSTRUMENTS, PRICES
from pipelines.errors import QualityError
from pipelines.lake import arrow_schema
from pipelines.quality.confirmation import confirm
from pipelines.quality.judging import PriceJudge, Verdict, judge_actions, judge_rows


def spoiled_market(seed: int) -> Verdict:
    dice = np.random.default_rng(seed)
    rows = stock("ONE", 1) + stock("TWO", 2)
    for row in dice.choice(np.array(rows, dtype=object), 80, replace=False):
        name = dice.choice(["open", "high", "low", "close", "volume", "adjusted_return_1d"])
        row[name] = dice.choice([None, -1.0, 0.0, 1e13, np.inf, 1.3 * (row[name] or 1.0)])
    for row in rows[100:103]:
        for name in ("open", "high", "low", "close"):
            row[name] = 100 * (row[name] or 1.0)
    rows.append({**rows[50], "volume": 1.0})
    reference = pa.table({"symbol": ["ONE"], "asset_class": ["technology"]})
    return PriceJudge(reference).judge(table(rows))


@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_a_spoiled_market(seed: int) -> None:
    verdict = spoiled_market(seed)
    assert len(verdict.rejected) > 40
    assert confirm(PRICES, None, verdict).rows == verdict.batch.rows


@pytest.mark.parametrize("column", HISTORY_COLUMNS)
def test_they_agree_on_each_history_column(column: str) -> None:
    """Numbers around each limit, and none at all, whatever a market would have to do for them."""
    verdict = spoiled_market(0)
    dice = np.random.default_rng(1)
    values = dice.choice([np.nan, -3.0, -0.1, 0.0, 0.004, 1.0, 64.0, 5000.0], verdict.batch.rows)
    verdict.batch.columns[column] = values
    confirm(PRICES, None, verdict)


def test_they_agree_on_instruments_and_actions() -> None:
    moment = stock()[0]["known_at"]
    stamp = {"known_at": moment, "known_at_basis": "assumed", "ingest_session": moment.date()}
    instrument = {
        "source": "simulated",
        "symbol": "ONE",
        "name": "One",
        "asset_class": "technology",
        "currency": "dollars",
        "expense_ratio_bps": 5_000,
        "substitute_group": "ONE",
        "reference_weight": 0.5,
        "tradable": False,
        **stamp,
    }
    rows = pa.Table.from_pylist([instrument], arrow_schema(INSTRUMENTS))
    verdict = judge_rows(INSTRUMENTS, INSTRUMENT_SUITE, rows)
    assert set(verdict.rejections["rule"].to_pylist()) == {
        "currency_is_iso",
        "expense_ratio_is_plausible",
        "untradable_has_no_reference_weight",
    }
    confirm(INSTRUMENTS, INSTRUMENT_SUITE, verdict)
    action = {
        "source": "simulated",
        "symbol": "ONE",
        "session_date": moment.date(),
        "kind": "split",
        "amount": 1e6,
        **stamp,
    }
    split = judge_actions(pa.Table.from_pylist([action], arrow_schema(ACTIONS)))
    assert "split_ratio_is_plausible" in split.rejections["rule"].to_pylist()
    confirm(ACTIONS, ACTION_SUITE, split)


def test_a_disagreement_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.quality.confirmation.failed_rows", lambda result: set())
    with pytest.raises(QualityError, match="only ours rejects it"):
        confirm(PRICES, None, spoiled_market(0))
