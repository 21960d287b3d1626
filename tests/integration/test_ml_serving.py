"""Models as they serve: from where training left them, at sessions that it did not know."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ml_examples import changed_after, feature_table, panel_of, random_walk, trending
from ml_models import small_model
from ml_served import realised, served

from ml.attribution import LARGEST_PARTS, largest_parts
from ml.errors import ModelNotFoundError, PanelError
from ml.forecasters import Contributions
from ml.intervals.conformal import ConformalState, Issued
from ml.intervals.since_training import continued
from ml.panel import Panel
from ml.panel.reading import panel_from_table
from ml.serving import OUTPUT_KEY, OUTPUTS, ServingModel, interval_note, missing_reason
from models.vocabulary import BASELINE_PART, OTHER_PARTS, Attribution

CALIBRATED = 930
LATER = 990
HORIZONS = (5, 21)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(trending(sessions=1000, symbols=6))


@pytest.fixture(scope="module", params=["sma", "ridge"])
def model(request: pytest.FixtureRequest, panel: Panel) -> ServingModel:
    return served(small_model(request.param), panel.until(panel.session(CALIBRATED)))


def test_at_its_last_session_a_model_serves_what_training_found(
    model: ServingModel, panel: Panel, tmp_path: Path
) -> None:
    seam = panel.until(panel.session(CALIBRATED))
    model.save(tmp_path)
    restored = ServingModel.load(tmp_path)
    forecasts = restored.forecast_last(seam)
    assert forecasts == model.forecast_last(seam)
    own = model.forecaster.predict(seam, range(CALIBRATED, CALIBRATED + 1))
    for each in forecasts:
        number, column = HORIZONS.index(each.horizon_sessions), seam.symbols.index(each.symbol)
        mean, stdev = own.mean[number, 0, column], own.stdev[number, 0, column]
        (below_80, above_80), (below_95, above_95) = (
            model.calibration.conformal[number].issued[-1].ends
        )
        assert each.expected_log_return == mean
        assert each.stdev_log_return == model.calibration.stdev_factor[number] * stdev
        assert (each.lower_80_log_return, each.upper_80_log_return) == (
            mean - below_80 * stdev,
            mean + above_80 * stdev,
        )
        assert (each.lower_95_log_return, each.upper_95_log_return) == (
            mean - below_95 * stdev,
            mean + above_95 * stdev,
        )
        assert each.interval_note == ""
    assert len(forecasts) == len(HORIZONS) * len(seam.symbols)


def test_later_the_path_goes_on_over_the_models_own_forecasts(
    model: ServingModel, panel: Panel, tmp_path: Path
) -> None:
    model.save(tmp_path)
    today = panel.until(panel.session(LATER))
    states = continued(ServingModel.load(tmp_path).calibration, model.forecaster, today)
    between = range(CALIBRATED + 1, LATER + 1)
    dates = panel.sessions[between.start : between.stop]
    known = model.calibration
    # As training would have gone on: it knows all outcomes, and takes each in when it is realised.
    own = model.forecaster.predict(panel, range(CALIBRATED - 20, CALIBRATED + 1))
    scores = (realised(panel, range(CALIBRATED - 20, CALIBRATED + 1), HORIZONS) - own.mean) / (
        own.stdev
    )
    known = replace(
        known,
        conformal=tuple(
            state.with_scores(waiting[-len(state.issued) :])
            for state, waiting in zip(known.conformal, scores, strict=True)
        ),
    )
    _, after = known.follow(
        model.forecaster.predict(panel, between), realised(panel, between, HORIZONS), dates
    )
    for state, expected in zip(states, after.conformal, strict=True):
        assert state.to_json() == expected.to_json()
    assert states[0].to_json() != model.calibration.conformal[0].to_json()


def test_outcomes_that_are_not_realised_and_other_symbols_change_no_forecast(
    model: ServingModel, panel: Panel
) -> None:
    today = panel.session(LATER)
    forecasts = model.forecast_last(panel.until(today))
    assert model.forecast_last(changed_after(panel, LATER).until(today)) == forecasts
    more = panel.of_symbols((*panel.symbols, "NEW")).until(today)
    assert model.forecast_last(more) == forecasts
    features_needed = model.sessions_needed(LATER - CALIBRATED)
    start = LATER + 1 - features_needed
    recent = replace(more, values=more.values[start:], features_start=start)
    assert model.forecast_last(recent) == forecasts


def test_a_session_that_the_model_has_seen_past_is_refused(
    model: ServingModel, panel: Panel
) -> None:
    with pytest.raises(PanelError, match="the model has seen sessions through"):
        model.forecast_last(panel.until(panel.session(CALIBRATED - 1)))


def test_a_panel_that_begins_too_late_to_go_on_is_refused(
    model: ServingModel, panel: Panel
) -> None:
    first = CALIBRATED - 10
    late = replace(
        panel,
        sessions=panel.sessions[first:],
        values=panel.values[first:],
        log_return_1d=panel.log_return_1d[first:],
        observed=panel.observed[first:],
        session_values=panel.session_values[first:],
    )
    with pytest.raises(PanelError, match="Give all sessions of history"):
        continued(model.calibration, model.forecaster, late)


def test_the_parts_of_every_forecast_sum_to_it(model: ServingModel, panel: Panel) -> None:
    forecasts = model.forecast_last(panel)
    parts = model.explain_last(panel, forecasts)
    explained = model.forecaster.explain(panel)
    for each in forecasts:
        key = each.symbol, each.horizon_sessions
        own = [part for part in parts if (part.symbol, part.horizon_sessions) == key]
        total = sum(part.contribution_log_return for part in own)
        assert total == pytest.approx(each.expected_log_return, abs=1e-12)
        baseline = own[-1]
        assert (baseline.feature, baseline.feature_value) == (BASELINE_PART, None)
        number, column = HORIZONS.index(key[1]), panel.symbols.index(key[0])
        assert baseline.contribution_log_return == pytest.approx(
            explained.baseline[number, column], abs=1e-9
        )


def test_the_largest_parts_are_named_and_all_others_are_one() -> None:
    names = tuple(f"feature_{number}" for number in range(LARGEST_PARTS + 3))
    sizes = np.array([3.0, -9.0, 0.5, 4.0, -5.0, 6.0, 0.2, 7.0, 8.0, -2.0, 2.5])
    seen = np.arange(len(names), dtype=float)[None].repeat(2, axis=0)
    seen[0, 1] = np.nan
    parts = np.stack([[sizes, np.full_like(sizes, np.nan)], [sizes / 2, 0 * sizes]])
    contributions = Contributions(
        names, seen, np.zeros((2, 2)), parts, Attribution.INTEGRATED_GRADIENTS
    )
    expected = {("A", 5): 20.0, ("A", 21): 10.0, ("B", 21): 1.0}
    rows = largest_parts(contributions, ("A", "B"), HORIZONS, expected)
    of_a = [row for row in rows if (row.symbol, row.horizon_sessions) == ("A", 5)]
    assert [row.contribution_log_return for row in of_a[:-2]] == [-9, 8, 7, 6, -5, 4, 3, 2.5]
    assert [row.feature for row in of_a[:2]] == ["feature_1", "feature_8"]
    assert [row.feature_value for row in of_a[:2]] == [None, 8.0]
    assert (of_a[-2].feature, of_a[-2].contribution_log_return) == (OTHER_PARTS, -1.3)
    assert of_a[-1].contribution_log_return == pytest.approx(20.0 - sizes.sum())
    assert {(row.symbol, row.horizon_sessions) for row in rows} == set(expected)
    # Of equal parts the first ones are named.
    of_b = [row.feature for row in rows if row.symbol == "B"]
    assert of_b == [*names[:LARGEST_PARTS], OTHER_PARTS, BASELINE_PART]


def test_intervals_without_an_end_say_so() -> None:
    young = ConformalState.start(21).follow(np.zeros((40, 3)))[1]
    assert interval_note(young) == (
        "the 95 % interval has no lower and upper end: only 19 sessions' outcomes are known"
    )
    grown = ConformalState.start(5).follow(np.random.default_rng(1).normal(size=(200, 9)))[1]
    assert interval_note(grown) == ""
    ends = grown.issued[-1].ends.copy()
    ends[:, 1] = np.inf
    outrun = replace(grown, issued=(Issued(0, ends),))
    assert interval_note(outrun) == (
        "the 80 % interval has no upper end; the 95 % interval has no upper end: outcomes lately "
        "fell outside of every end that could be given"
    )


def test_an_end_that_is_not_there_is_null_and_said(model: ServingModel, panel: Panel) -> None:
    seam = panel.until(panel.session(CALIBRATED))
    first, second = model.calibration.conformal
    ends = second.issued[-1].ends.copy()
    ends[1] = [np.inf, 3.0]
    open_below = replace(second, issued=(*second.issued[:-1], Issued(0, ends)))
    calibration = replace(model.calibration, conformal=(first, open_below))
    for each in replace(model, calibration=calibration).forecast_last(seam):
        is_open = each.horizon_sessions == 21
        assert (each.lower_95_log_return is None) == is_open
        assert each.interval_note.startswith("the 95 % interval has no lower end") == is_open
        assert each.upper_95_log_return is not None


def test_analysts_get_the_same_forecasts_from_rows_of_the_feature_table() -> None:
    table = feature_table(random_walk(sessions=900, symbols=3))
    panel = panel_from_table(table, "test")
    model = served(small_model("ridge"), panel)
    predicted = model.predict(table.to_pandas())
    assert list(predicted.columns) == [*OUTPUT_KEY, *OUTPUTS]
    assert set(predicted["session_date"]) == {pd.Timestamp(panel.session(899))}
    for row, each in zip(
        predicted.itertuples(index=False), model.forecast_last(panel), strict=True
    ):
        assert (row.symbol, row.horizon_sessions) == (each.symbol, each.horizon_sessions)
        for name in OUTPUTS:
            assert getattr(row, name) == getattr(each, name)
    first, second = model.calibration.conformal
    ends = np.full((2, 2), np.inf)
    blind = replace(first, issued=(*first.issued[:-1], Issued(0, ends)))
    model = replace(model, calibration=replace(model.calibration, conformal=(blind, second)))
    week = model.predict(table.to_pandas()).query("horizon_sessions == 5")
    assert (week["lower_80_log_return"] == -np.inf).all()
    assert (week["upper_95_log_return"] == np.inf).all()
    with pytest.raises(ValueError, match="unknown parameters"):
        model.predict(table.to_pandas(), {"horizon": 5})


def test_a_symbol_without_a_forecast_is_given_a_reason(model: ServingModel, panel: Panel) -> None:
    observed, returns = panel.observed.copy(), panel.log_return_1d.copy()
    observed[-1, 0] = False
    observed[:-40, 1] = False
    returns[~observed] = np.nan
    returns[-100:, 2] = 0.0
    holed = replace(panel, observed=observed, log_return_1d=returns)
    done = {each.symbol for each in model.forecast_last(holed)}
    assert done == set(panel.symbols[3:])
    reasons = [missing_reason(model, holed, symbol) for symbol in panel.symbols[:3]]
    assert reasons[0] == "it has no accepted price on the session"
    assert reasons[1].startswith("it has 40 of the")
    assert reasons[2].startswith("its price does not move")


def test_a_folder_that_lacks_a_part_of_a_model_is_refused(
    model: ServingModel, tmp_path: Path
) -> None:
    model.forecaster.save(tmp_path)
    with pytest.raises(ModelNotFoundError, match=r"calibration\.json"):
        ServingModel.load(tmp_path)
