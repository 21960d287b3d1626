"""Pictures of a symbol's features, drawn from a real warehouse."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from warehouse_inputs import SESSION

from pipelines.errors import WarehouseError
from pipelines.feature_chart import bollinger_bands, draw_chart
from pipelines.settings import Settings

PNG = b"\x89PNG"


def test_bands_lie_two_deviations_from_the_mean_of_twenty_closes() -> None:
    close = pd.Series(50 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.02, 80))))
    mean, deviation = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    z, width = (close - mean) / deviation, 4 * deviation / mean
    lower, upper = bollinger_bands(close.to_numpy(), z.to_numpy(), width.to_numpy())
    np.testing.assert_allclose(lower, mean - 2 * deviation, rtol=1e-12)
    np.testing.assert_allclose(upper, mean + 2 * deviation, rtol=1e-12)


def test_a_picture_is_drawn_also_of_a_symbol_with_little_history(
    small_warehouse: Settings, tmp_path: Path
) -> None:
    build = small_warehouse.warehouse / "sessions" / SESSION.isoformat()
    whole = draw_chart(build, "AAPL", 250, tmp_path / "charts" / "AAPL.png")
    short = draw_chart(build, "AAPL", 2, tmp_path / "charts" / "two.png")
    assert whole.read_bytes()[:4] == short.read_bytes()[:4] == PNG
    assert whole.stat().st_size > short.stat().st_size


def test_a_symbol_that_the_warehouse_lacks_is_an_error_with_a_remedy(
    small_warehouse: Settings, tmp_path: Path
) -> None:
    with pytest.raises(WarehouseError, match=r"NOBODY.*no bar.*List the symbols"):
        draw_chart(small_warehouse.warehouse / "current", "NOBODY", 9, tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
