"""The contestants of the benchmark of moving averages do the same work."""

import numpy as np
import pytest

from benchmarks.train.moving_averages import LINES, our_forecasts, random_returns
from benchmarks.train.moving_averages_pandas import pandas_forecasts


@pytest.mark.parametrize(
    ("name", "largest"), [*((name, 1e-11) for name in LINES if name != "ema"), ("ema", 1e-4)]
)
def test_our_forecasts_are_those_of_pandas(name: str, largest: float) -> None:
    returns = random_returns(600, 4)
    ours, theirs = our_forecasts(returns)(name), pandas_forecasts(returns)(name)
    assert ours.shape == theirs.shape == (2, 600, 4)
    np.testing.assert_allclose(ours[:, 252:], theirs[:, 252:], rtol=0, atol=largest)
    assert np.isfinite(ours[:, 252:]).mean() > 0.9
