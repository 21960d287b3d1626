"""The walk forward: nothing of the future, members only, and every strategy as it is called."""

import dataclasses
import functools

import numpy as np
import pytest
from backtest_examples import SYMBOLS, history_of, log_returns

from ml.choice.validation_record import ValidationRecord
from models.vocabulary import HORIZON_SESSIONS
from pipelines.backtest.history import STALE_SESSIONS, History
from pipelines.backtest.results import remarks, rows_of
from pipelines.backtest.strategies import BENCHMARKS
from pipelines.backtest.views import (
    ViewRecord,
    moving_average_view,
    panel_of,
    recorded_view,
    reviews,
)
from pipelines.backtest.walk import Walk, walk_forward
from pipelines.errors import RebalanceError
from pipelines.rebalance.policy import POLICY

SCORES = (40,)
DECISION, REVIEW = 776, 777
"""Positions after which portfolios are decided, and views fitted and their confidence asked."""


def run(history: History) -> tuple[ViewRecord, Walk]:
    """Return the moving averages' view, and a walk in which it counts by half."""
    panel = panel_of(history)
    view = moving_average_view(panel)
    counting = dataclasses.replace(view, confidence=np.full(len(panel), 0.5))
    return view, walk_forward(history, recorded_view(panel, None), counting, POLICY, SCORES)


@functools.cache
def whole() -> tuple[ViewRecord, Walk]:
    return run(history_of(log_returns()))


def assert_same_until(session: int, found: tuple[ViewRecord, Walk]) -> None:
    (view, walk), (other_view, other) = whole(), found
    for name in ("mean", "stdev", "confidence"):
        ours, theirs = getattr(view, name), getattr(other_view, name)
        assert ours[: session + 1].tobytes() == theirs[: session + 1].tobytes(), name
    assert walk.start == other.start
    decisions = int((walk.decided <= session).sum())
    assert walk.targets[:decisions].tobytes() == other.targets[:decisions].tobytes()
    days = session - walk.start + 1
    assert days > 500
    assert walk.wealth[:days].tobytes() == other.wealth[:days].tobytes()
    traded = int((walk.decided + 1 <= session).sum())
    for name in ("weights", "turnover", "cost"):
        ours, theirs = getattr(walk, name), getattr(other, name)
        assert ours[:traded].tobytes() == theirs[:traded].tobytes(), name


def test_the_sessions_looked_at_are_those_at_which_a_look_ahead_would_show() -> None:
    assert DECISION in whole()[1].decided
    assert REVIEW in reviews(panel_of(history_of(log_returns())))


@pytest.mark.parametrize("last", [DECISION, REVIEW])
def test_nothing_up_to_a_session_changes_with_what_comes_after_it(last: int) -> None:
    changed = log_returns()
    later = np.random.default_rng(9).normal(0.01, 0.05, changed[last + 1 :].shape)
    changed[last + 1 :] = np.where(np.isfinite(changed[last + 1 :]), later, np.nan)
    found = run(history_of(changed))
    assert_same_until(last, found)
    assert whole()[1].wealth[-1].tolist() != found[1].wealth[-1].tolist()


@pytest.mark.parametrize("last", [DECISION, REVIEW])
def test_nothing_changes_when_later_sessions_are_removed(last: int) -> None:
    # One more: what is decided after a session is traded at the next, which has to exist.
    assert_same_until(last, run(history_of(log_returns()[: last + 2])))


def test_a_target_is_traded_to_at_the_close_after_the_decision() -> None:
    history, (_, walk) = history_of(log_returns()), whole()
    decided, equal = int(walk.decided[0]), len(walk.strategies) - len(BENCHMARKS)
    bought = walk.weights[0, equal] > 0
    before = walk.wealth[1, equal]
    assert before == pytest.approx((1 + walk.cash_return) * (1 - walk.cost[0, equal]), rel=1e-14)
    returns = history.simple_return[decided + 2, bought]
    by_hand = before * (1 + walk.weights[0, equal, bought] @ returns)
    assert walk.wealth[2, equal] == pytest.approx(by_hand, rel=1e-12)


def test_a_symbol_is_bought_only_with_enough_history_and_while_it_has_prices() -> None:
    history, (_, walk) = history_of(log_returns()), whole()
    young, dead = SYMBOLS.index("NEW"), SYMBOLS.index("DED")
    first_price = int(np.argmax(history.observed[:, young]))
    last_price = int(np.flatnonzero(history.observed[:, dead])[-1])
    for number, position in enumerate(walk.decided):
        held = (walk.weights[number] > 0).any(axis=0)
        if position < first_price + POLICY.minimum_history_sessions - 1:
            assert not held[young]
        if position >= last_price + STALE_SESSIONS:
            assert not held[dead]
    assert (walk.weights[:, :, [young, dead]] > 0).any(axis=(0, 1)).all()


def test_what_left_its_universe_is_sold() -> None:
    member = np.ones((1100, len(SYMBOLS)), np.bool_)
    member[700:, 0] = False
    history = dataclasses.replace(history_of(log_returns()), member=member)
    nothing = recorded_view(panel_of(history), None)
    walk = walk_forward(history, nothing, nothing, POLICY, SCORES)
    late = walk.decided >= 700
    assert (walk.weights[~late][:, :, 0] > 0).any()
    assert not walk.weights[late][:, :, 0].any()
    assert "HINDSIGHT" not in remarks(walk, history, nothing, nothing, POLICY)[0]


def test_targets_keep_to_the_policy_and_to_the_risk_score() -> None:
    _, walk = whole()
    ours = walk.targets[:, :3]
    ours = ours[np.isfinite(ours).all(axis=2)]
    assert (ours >= 0).all()
    assert (ours.sum(axis=1) <= 1 - POLICY.cash_floor_weight + 1e-9).all()
    risky = [number for number, symbol in enumerate(SYMBOLS) if symbol != "BND"]
    assert (ours[:, risky].sum(axis=1) <= SCORES[0] / 100 + 1e-9).all()


def test_ours_trade_only_outside_their_bands_and_then_to_a_new_target() -> None:
    _, walk = whole()
    new_universe = np.diff(walk.investable, prepend=0) != 0
    last = np.full(walk.weights.shape[1:], np.nan)[:3]
    rested = 0
    for number in range(len(walk.decided)):
        before = walk.weights[number, :3]  # unchanged where nothing was traded
        traded = walk.turnover[number, :3] > 0
        target = walk.targets[number, :3]
        assert (traded == np.isfinite(target).all(axis=1)).all()
        kept = ~traded & ~new_universe[number]
        gaps = np.abs(before - last)[kept]
        # A band allows 5 % of wealth at most; a session's drift comes on top until the trade.
        assert (gaps <= POLICY.absolute_band + 0.02).all()
        rested += int(kept.sum())
        last[traded] = target[traded]
    assert rested > len(walk.decided)
    tightened = dataclasses.replace(
        POLICY, absolute_band=0.0, relative_band=0.0, narrowest_band=0.0
    )
    history = history_of(log_returns())
    nothing = recorded_view(panel_of(history), None)
    always = walk_forward(history, nothing, nothing, tightened, SCORES)
    assert (always.turnover[:, 2] > 0).mean() > 0.9
    assert (walk.turnover[:, 2] > 0).mean() < 0.5


def test_benchmarks_hold_what_they_are_called() -> None:
    _, walk = whole()
    equal, sixty_forty, least, reference = np.moveaxis(walk.weights[-1:, -4:], 1, 0)[:, 0]
    count = int(walk.investable[-1])
    assert np.sort(equal)[-count:] == pytest.approx(np.full(count, 1 / count))
    assert sixty_forty[SYMBOLS.index("BND")] == pytest.approx(0.4)
    assert sixty_forty.sum() == pytest.approx(1.0)
    assert least[SYMBOLS.index("BND")] > 0.7
    assert reference == pytest.approx(equal)


def test_a_view_without_confidence_is_the_portfolio_without_view_to_the_bit() -> None:
    _, walk = whole()
    lstm, moving_average, none = walk.wealth.T[:3]
    assert lstm.tobytes() == none.tobytes()
    assert moving_average.tobytes() != none.tobytes()
    rows = rows_of(walk, history_of(log_returns()))
    assert rows[0].against_no_view is not None
    assert rows[0].against_no_view.p_value is None
    assert rows[2].against_no_view is None


def test_a_network_has_a_view_only_where_its_training_kept_forecasts() -> None:
    history = history_of(log_returns())
    kept = slice(600, 700)
    record = ValidationRecord(
        sessions=history.sessions[kept],
        symbols=SYMBOLS[:2],
        horizons=(5, HORIZON_SESSIONS),
        mean=np.full((2, 100, 2), 0.01),
    )
    view = recorded_view(panel_of(history), record)
    columns = np.arange(len(SYMBOLS))
    assert [each.symbol for each in view.known_at(650, SYMBOLS, columns)] == list(SYMBOLS[:2])
    assert view.known_at(599, SYMBOLS, columns) == view.known_at(700, SYMBOLS, columns) == ()
    assert view.first == 600


def test_confidence_waits_for_outcomes_to_be_realised() -> None:
    history = history_of(log_returns())
    panel = panel_of(history)
    perfect = np.nan_to_num(panel.forward_log_return(HORIZON_SESSIONS))
    record = ValidationRecord(history.sessions, SYMBOLS, (HORIZON_SESSIONS,), perfect[None])
    confidence = recorded_view(panel, record).confidence
    assert not confidence[:525].any()
    assert confidence[525] > 0.9


def test_too_little_history_is_refused_in_words() -> None:
    history = history_of(log_returns(200))
    nothing = recorded_view(panel_of(history), None)
    with pytest.raises(RebalanceError, match="could be bought"):
        walk_forward(history, nothing, nothing, POLICY, SCORES)
