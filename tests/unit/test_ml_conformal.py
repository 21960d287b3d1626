import json

import numpy as np
import pytest
from score_series import CALM_SESSIONS, shifting_scores

from ml.intervals.conformal import STEP, TAILS, ConformalState
from ml.rolling import Floats
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, INTERVAL_LEVELS

HORIZON = 21
WITHIN = 0.02


def ends_of(scores: Floats, horizon: int = HORIZON) -> Floats:
    return ConformalState.start(horizon).follow(scores)[0]


def inside(scores: Floats, ends: Floats, level: int) -> float:
    below, above = ends[:, level, 0, None], ends[:, level, 1, None]
    return float(((-below <= scores) & (scores <= above)).mean())


@pytest.mark.parametrize("horizon", FORECAST_HORIZONS_SESSIONS)
@pytest.mark.parametrize("seed", range(3))
def test_intervals_hold_their_level_when_the_market_shifts(horizon: int, seed: int) -> None:
    scores = shifting_scores(horizon, seed)
    test = scores[CALM_SESSIONS:]
    ends = ends_of(scores, horizon)[CALM_SESSIONS:]
    assert np.isfinite(ends).all()
    for place, level in enumerate(INTERVAL_LEVELS):
        assert inside(test, ends, place) == pytest.approx(level, abs=WITHIN)


@pytest.mark.parametrize("horizon", FORECAST_HORIZONS_SESSIONS)
@pytest.mark.parametrize("seed", range(3))
def test_an_interval_that_does_not_follow_fails_there(horizon: int, seed: int) -> None:
    scores = shifting_scores(horizon, seed)
    calm, test = scores[:CALM_SESSIONS], scores[CALM_SESSIONS:]
    for level in INTERVAL_LEVELS:
        lower, upper = np.quantile(calm, [(1 - level) / 2, (1 + level) / 2])
        share = float(((lower <= test) & (test <= upper)).mean())
        assert share < level - WITHIN


@pytest.mark.parametrize("horizon", FORECAST_HORIZONS_SESSIONS)
def test_outcomes_that_are_not_realised_change_no_bit(horizon: int) -> None:
    scores, session = shifting_scores(horizon, seed=1, sessions=800), 700
    before = ends_of(scores, horizon)
    changed = scores.copy()
    changed[session - horizon + 1 :] = np.random.default_rng(5).normal(3, 9, scores[-1].shape)
    np.testing.assert_array_equal(ends_of(changed, horizon)[: session + 1], before[: session + 1])
    unknown = scores.copy()
    unknown[session - horizon + 1 :] = np.nan
    np.testing.assert_array_equal(ends_of(unknown, horizon)[: session + 1], before[: session + 1])
    changed[session - horizon] += 9.0
    assert (ends_of(changed, horizon)[session] != before[session]).all()


def test_misses_of_issued_ends_add_up_to_how_far_they_were_moved() -> None:
    scores, first = shifting_scores(HORIZON, seed=2, sessions=CALM_SESSIONS), 200
    _, begun = ConformalState.start(HORIZON).follow(scores[:first])
    ends, after = begun.follow(scores[first:])
    issued = np.concatenate([[each.ends for each in begun.issued], ends])
    judged = slice(first - HORIZON, len(scores) - HORIZON)
    against = scores[judged, None, :]
    missed = np.stack(
        [
            (against < -issued[: len(ends), :, 0, None]).mean(axis=-1),
            (against > issued[: len(ends), :, 1, None]).mean(axis=-1),
        ],
        axis=-1,
    )
    np.testing.assert_allclose(
        after.offsets - begun.offsets, STEP * (missed - TAILS).sum(axis=0), atol=1e-9
    )


def test_a_state_saved_and_continued_is_one_path() -> None:
    scores, cut = shifting_scores(HORIZON, seed=3, sessions=900), 640
    whole, at_the_end = ConformalState.start(HORIZON).follow(scores)
    first, begun = ConformalState.start(HORIZON).follow(scores[:cut])
    restored = ConformalState.from_json(json.loads(json.dumps(begun.to_json())))
    ages = [each.age_sessions for each in restored.issued]
    assert ages == list(range(HORIZON - 1, -1, -1))
    known = restored.with_scores(scores[[cut - 1 - age for age in ages]])
    rest, after = known.follow(scores[cut:])
    np.testing.assert_array_equal(np.concatenate([first, rest]), whole)
    assert after.to_json() == at_the_end.to_json()


def test_a_restored_state_does_not_go_on_without_what_became_of_its_forecasts() -> None:
    scores = shifting_scores(HORIZON, seed=3, sessions=100)
    restored = ConformalState.from_json(ConformalState.start(HORIZON).follow(scores)[1].to_json())
    with pytest.raises(ValueError, match="with_scores"):
        restored.follow(scores[:1])


def test_too_few_outcomes_leave_an_interval_without_ends() -> None:
    ends, state = ConformalState.start(HORIZON).follow(shifting_scores(HORIZON, 4, sessions=80))
    known = np.maximum(np.arange(80) - HORIZON + 1, 0)
    # A tail of a needs 1 / a - 1 of them: 9 sessions for 10 %, 39 for 2.5 %; old ones fade.
    assert np.isinf(ends[known < 9]).all()
    assert np.isfinite(ends[known > 9, 0]).all()
    assert np.isinf(ends[known < 39, 1]).all()
    assert np.isfinite(ends[known > 41, 1]).all()
    assert not state.lacks_outcomes
    assert state.sessions_known == pytest.approx(57, abs=1)
    _, young = ConformalState.start(HORIZON).follow(shifting_scores(HORIZON, 4, sessions=40))
    assert young.lacks_outcomes
    text = json.dumps(young.to_json(), allow_nan=False)
    restored = ConformalState.from_json(json.loads(text))
    assert np.isinf(restored.issued[-1].ends[1]).all()


@pytest.mark.parametrize("horizon", FORECAST_HORIZONS_SESSIONS)
def test_ends_that_were_not_there_yet_move_nothing(horizon: int) -> None:
    scores = shifting_scores(horizon, seed=4, sessions=horizon + 45)
    ends, whole = ConformalState.start(horizon).follow(scores)
    state = ConformalState.start(horizon)
    for row in range(len(scores)):
        _, state = state.follow(scores[row : row + 1])
        was_judged = np.isfinite(ends[: max(row + 1 - horizon, 0)]).any(axis=0)
        assert (state.offsets[~was_judged] == 0).all()
    assert (state.offsets != 0).tolist() == was_judged.tolist()
    assert was_judged[0].all() and state.to_json() == whole.to_json()


def test_an_end_that_outcomes_outrun_is_none_until_they_come_back() -> None:
    scores = shifting_scores(5, seed=5, sessions=700)
    scores[300:480] = 40.0
    ends = ends_of(scores, 5)
    assert np.isfinite(ends[100:300]).all()
    assert np.isinf(ends[479, :, 1]).all()
    assert np.isfinite(ends[479, :, 0]).all()
    after = np.random.default_rng(1).normal(size=(1500, scores.shape[1]))
    later = ends_of(np.concatenate([scores, after]), 5)[-1]
    assert later[0, 1] < 4


def test_a_hole_between_sessions_realises_what_was_waiting() -> None:
    scores = shifting_scores(HORIZON, seed=6, sessions=300)
    positions = np.arange(300)
    positions[200:] += HORIZON
    ends, _ = ConformalState.start(HORIZON).follow(scores, positions)
    waited = np.concatenate([scores[:200], np.full((HORIZON, scores.shape[1]), np.nan)])
    without_hole = ends_of(np.concatenate([waited, scores[200:]]))
    np.testing.assert_array_equal(ends[200], without_hole[200 + HORIZON])


def test_a_session_without_outcomes_teaches_nothing() -> None:
    scores = shifting_scores(5, seed=7, sessions=300)
    with_blank = np.insert(scores, 200, np.nan, axis=0)
    ends, blank = ends_of(scores, 5), ends_of(with_blank, 5)
    np.testing.assert_array_equal(blank[:205], ends[:205])
    np.testing.assert_array_equal(blank[205], ends[204])


def test_an_interval_holds_its_forecast_and_the_narrower_one() -> None:
    scores = shifting_scores(5, seed=8, sessions=1200)
    ends = ends_of(scores + np.linspace(0, 6, 1200)[:, None], 5)
    assert (ends >= 0).all()
    assert (ends[:, 1] >= ends[:, 0]).all()
    # Outcomes came out above all forecasts: the lower end is the forecast, and does not wind up.
    assert (ends[-1, 0, 0], ends[-1, 0, 1] > 4) == (0.0, True)
    back = ends_of(np.concatenate([scores + 6.0, scores]), 5)
    assert inside(scores[300:], back[-900:], 0) == pytest.approx(0.8, abs=0.05)
