import json
from dataclasses import replace

import numpy as np
import pytest
from ml_examples import changed_after, panel_of, random_walk

from ml.errors import PanelError, TrainingError
from ml.panel import LEAST_HISTORY_SESSIONS, Panel
from ml.scaling import Standardiser

FIRST = LEAST_HISTORY_SESSIONS
"""First session that is learned from: it has a symbol's 252nd return."""
TRAIN = range(FIRST + 100)
ALL = range(FIRST + 200)


@pytest.fixture
def panel() -> Panel:
    return panel_of(random_walk(sessions=len(ALL), symbols=3))


def with_feature(panel: Panel, values: np.ndarray) -> Panel:
    extended = np.concatenate([panel.values, values[..., None].astype(np.float32)], axis=-1)
    return replace(panel, features=(*panel.features, "extra"), values=extended)


def with_session_feature(panel: Panel, values: np.ndarray) -> Panel:
    extended = np.column_stack([panel.session_values, values.astype(np.float32)])
    features = (*panel.session_features, "shared")
    return replace(panel, session_features=features, session_values=extended)


def test_only_the_training_window_decides_means_and_deviations(panel: Panel) -> None:
    standardiser = Standardiser.fit(panel, TRAIN)
    assert standardiser == Standardiser.fit(changed_after(panel, TRAIN[-1]), TRAIN)
    assert standardiser != Standardiser.fit(changed_after(panel, TRAIN[-2]), TRAIN)


def test_a_first_year_without_forecasts_is_not_learned_from(panel: Panel) -> None:
    values, shared = panel.values.copy(), panel.session_values.copy()
    values[:FIRST] = np.nan
    shared[:FIRST] = 1e6
    younger = replace(panel, values=values, session_values=shared)
    assert Standardiser.fit(younger, TRAIN) == Standardiser.fit(panel, TRAIN)
    assert Standardiser.fit(panel, TRAIN).masked == ()


def test_what_happens_after_a_session_changes_no_bit_of_its_channels(panel: Panel) -> None:
    standardiser = Standardiser.fit(panel, TRAIN)
    before = standardiser.transform(panel, range(151))
    other = standardiser.transform(changed_after(panel, 150), range(151))
    np.testing.assert_array_equal(before, other)
    alone = standardiser.transform(panel, range(150, 151))
    np.testing.assert_array_equal(before[-1:], alone)


def test_training_values_get_mean_zero_and_deviation_one(panel: Panel) -> None:
    # An infinite value is no number to learn from, and a symbol without a row no observation.
    panel.values[FIRST + 50, 0, 1] = np.inf
    panel.observed[:, 2] = False
    transformed = Standardiser.fit(panel, TRAIN).transform(panel, TRAIN)
    learned = panel.values[FIRST : len(TRAIN), :2, 1]
    noise = transformed[FIRST:, :2, 1][np.isfinite(learned)]
    for values in (noise, transformed[FIRST:, 0, 2]):
        assert values.mean() == pytest.approx(0, abs=1e-6)
        assert values.std() == pytest.approx(1, abs=1e-5)
    assert transformed[FIRST + 50, 0, 1] == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.nan, "missing throughout training"),
        (np.inf, "missing throughout training"),
        (0.0, "constant in training"),
        (7.5, "constant in training"),
    ],
)
def test_a_feature_that_is_null_or_constant_in_training_is_left_out_and_named(
    panel: Panel, value: float, reason: str
) -> None:
    extra = np.full(panel.observed.shape, value)
    extra[-50:] = np.arange(50)[:, None]
    both = with_session_feature(with_feature(panel, extra), extra[:, 0])
    standardiser = Standardiser.fit(both, TRAIN)
    assert standardiser.left_out == {"extra": reason, "shared": reason}
    assert standardiser.features == ("trend", "noise", "economy")
    assert standardiser.left_out_in_words == f"{reason}: extra, shared"
    np.testing.assert_array_equal(
        standardiser.transform(both, ALL), Standardiser.fit(panel, TRAIN).transform(panel, ALL)
    )


def test_missing_values_become_the_training_mean_and_are_flagged(panel: Panel) -> None:
    values = panel.values.copy()
    values[FIRST + 7 : FIRST + 10, :, 0] = np.nan
    values[FIRST + 7, 0, 1] = np.nan  # less than one in a hundred
    shared = np.random.default_rng(6).normal(size=len(ALL))
    shared[::2] = np.nan
    both = with_session_feature(replace(panel, values=values), shared)
    standardiser = Standardiser.fit(both, TRAIN)
    assert standardiser.masked == ("trend", "shared")
    assert standardiser.feature_of_channel.tolist() == [0, 1, 2, 3, 0, 3]
    transformed = standardiser.transform(both, ALL)
    trend, noise, _, shared_there, trend_is_there, shared_is_there = np.moveaxis(transformed, -1, 0)
    assert transformed.dtype == np.float32
    assert np.isfinite(transformed).all()
    assert noise[FIRST + 7, 0] == 0
    assert (trend[FIRST + 7 : FIRST + 10] == 0).all()
    assert (trend_is_there[FIRST + 7 : FIRST + 10] == 0).all()
    assert (trend_is_there[FIRST + 10 :] == 1).all()
    assert (shared_there[::2] == 0).all()
    assert (shared_is_there == (np.arange(len(ALL)) % 2)[:, None]).all()


def test_what_a_session_shares_is_the_same_for_all_its_symbols(panel: Panel) -> None:
    economy = Standardiser.fit(panel, TRAIN).transform(panel, ALL)[..., 2]
    assert (economy == economy[:, [0]]).all()
    assert len(np.unique(economy[:, 0])) > 100


@pytest.mark.parametrize("value", [1e30, -1e30])
def test_an_outlier_is_cut_at_five_deviations(panel: Panel, value: float) -> None:
    values = panel.values.copy()
    values[150, 0, 1] = value
    changed = replace(panel, values=values)
    transformed = Standardiser.fit(panel, TRAIN).transform(changed, ALL)
    assert transformed[150, 0, 1] == np.sign(value) * 5.0


def test_what_was_seen_is_told_as_it_was(panel: Panel) -> None:
    seen = Standardiser.fit(panel, TRAIN).seen(panel, ALL[-1:])[0]
    np.testing.assert_array_equal(seen[:, :2], panel.values[-1])
    np.testing.assert_array_equal(seen[:, 2], np.repeat(panel.session_values[-1], 3))


def test_features_that_were_not_read_cannot_be_transformed(panel: Panel) -> None:
    standardiser = Standardiser.fit(panel, TRAIN)
    late = replace(panel, values=panel.values[150:], features_start=150)
    rows = ALL[150:]
    np.testing.assert_array_equal(
        standardiser.transform(late, rows), standardiser.transform(panel, rows)
    )
    with pytest.raises(PanelError, match="those from position 149 on are needed"):
        standardiser.transform(late, ALL[149:])


def test_a_panel_without_any_news_cannot_train(panel: Panel) -> None:
    silent = replace(
        panel,
        values=np.zeros_like(panel.values),
        session_values=np.full_like(panel.session_values, np.nan),
    )
    with pytest.raises(TrainingError, match="none of them varies"):
        Standardiser.fit(silent, TRAIN)


def test_a_panel_that_lacks_a_trained_feature_is_refused(panel: Panel) -> None:
    standardiser = Standardiser.fit(panel, TRAIN)
    shortened = replace(panel, features=("trend",), values=panel.values[..., :1])
    with pytest.raises(PanelError, match=r"trained on \['noise'\]"):
        standardiser.transform(shortened, ALL)


def test_a_saved_standardiser_is_the_same(panel: Panel) -> None:
    constant = with_feature(panel, np.zeros(panel.observed.shape))
    standardiser = Standardiser.fit(constant, TRAIN)
    saved = json.loads(json.dumps(standardiser.state()))
    assert Standardiser.from_state(saved) == standardiser
