from dataclasses import replace

import numpy as np
import pytest
from ml_examples import panel_of, random_walk

from ml.errors import PanelError, TrainingError
from ml.panel import Panel
from ml.scaling import Standardiser


@pytest.fixture
def panel() -> Panel:
    return panel_of(random_walk(sessions=200, symbols=3))


def with_feature(panel: Panel, values: np.ndarray) -> Panel:
    extended = np.concatenate([panel.values, values[..., None].astype(np.float32)], axis=-1)
    return replace(panel, features=(*panel.features, "extra"), values=extended)


def test_only_the_training_window_decides_means_and_deviations(panel: Panel) -> None:
    values = panel.values.copy()
    values[100:] = 1e6
    later = replace(panel, values=values)
    assert Standardiser.fit(panel, range(100)) == Standardiser.fit(later, range(100))


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.5])
def test_a_feature_that_is_null_or_constant_in_training_is_left_out(
    panel: Panel, value: float
) -> None:
    extra = np.full(panel.observed.shape, value)
    extra[150:] = np.arange(50)[:, None]
    standardiser = Standardiser.fit(with_feature(panel, extra), range(100))
    assert standardiser.left_out == ("extra",)
    assert standardiser.features == ("trend", "noise")


def test_missing_values_become_the_training_mean_and_are_flagged(panel: Panel) -> None:
    standardiser = Standardiser.fit(panel, range(100))
    assert standardiser.masked == ("trend",)
    transformed = standardiser.transform(panel)
    trend, _, trend_is_there = np.moveaxis(transformed, -1, 0)
    assert np.isfinite(transformed).all()
    assert (trend[0] == 0).all()
    assert (trend_is_there[0] == 0).all()
    assert (trend_is_there[100:] == 1).all()


def test_an_outlier_is_cut_at_five_deviations(panel: Panel) -> None:
    values = panel.values.copy()
    values[150, 0, 1] = 1e30
    transformed = Standardiser.fit(panel, range(100)).transform(replace(panel, values=values))
    assert transformed[150, 0, 1] == 5.0


def test_a_panel_without_any_news_cannot_train(panel: Panel) -> None:
    with pytest.raises(TrainingError, match="none of them varies"):
        Standardiser.fit(replace(panel, values=np.zeros_like(panel.values)), range(100))


def test_a_panel_that_lacks_a_trained_feature_is_refused(panel: Panel) -> None:
    standardiser = Standardiser.fit(panel, range(100))
    shortened = replace(panel, features=("trend",), values=panel.values[..., :1])
    with pytest.raises(PanelError, match=r"trained on \['noise'\]"):
        standardiser.transform(shortened)
