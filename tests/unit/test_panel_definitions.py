"""Each indicator, by hand or from a published worked example."""

import math

import numpy as np
import pytest
from panel_bars import bars_of

from pipelines.warehouse.panel.bars import Bars
from pipelines.warehouse.panel.indicators import features

ANNUAL = math.sqrt(252)


def last(bars: Bars, name: str) -> float:
    return float(features(bars)[name][-1])


def test_on_balance_volume_is_the_published_example() -> None:
    """Ten sessions of Investopedia's article on on-balance volume."""
    close = [10, 10.15, 10.17, 10.13, 10.11, 10.15, 10.20, 10.20, 10.22, 10.21]
    volume = [25_200, 30_000, 25_600, 32_000, 23_000, 40_000, 36_000, 20_500, 23_000, 27_500]
    expected = [0, 30_000, 55_600, 23_600, 600, 40_600, 76_600, 76_600, 99_600, 72_100]
    assert features(bars_of(close, volume=volume))["obv"].tolist() == expected


def test_on_balance_volume_counts_shares_of_the_first_bar_and_total_returns() -> None:
    """A 4 for 1 split is no fall, and a close that fell by its dividend did not move."""
    bars = bars_of(
        [100, 26, 25.5, 25.5],
        volume=[1000, 4000, 800, 400],
        share_ratio=[1, 4, 1, 1],
        cash=[0, 0, 0.5, 0.1],
    )
    assert features(bars)["obv"].tolist() == [0, 1000, 1000, 1100]


def test_on_balance_volume_is_null_from_the_first_missing_volume_on() -> None:
    volume = [5, 5, np.nan, 5]
    assert np.isnan(features(bars_of([1, 2, 3, 4], volume=volume))["obv"]).tolist() == [
        False,
        False,
        True,
        True,
    ]


def test_what_is_anchored_follows_one_share_of_the_first_bar() -> None:
    bars = bars_of([40, 25, 20, 66], share_ratio=[1, 2, 1, 1 / 3], cash=[0, 0, 5, 0])
    columns = features(bars)
    assert columns["session_number"].tolist() == [1, 2, 3, 4]
    assert columns["cumulative_share_ratio"].tolist() == [1, 2, 2, pytest.approx(2 / 3)]
    assert columns["cumulative_growth"].tolist() == [1, 2, 2.5, pytest.approx(2.5 / 3)]


def test_returns_are_those_of_a_holder_who_reinvests() -> None:
    """10 shares of 100 become 20 of 55, pay 2.50 each, and are 22 of 25."""
    bars = bars_of(
        [100, 55, 25, 26, 27, 25], share_ratio=[1, 2, 1, 1, 1, 1], cash=[0, 0, 2.5, 0, 0, 0]
    )
    assert features(bars)["log_return_1d"][1:3] == pytest.approx(
        [math.log(110 / 100), math.log(27.5 / 55)]
    )
    assert last(bars, "log_return_5d") == pytest.approx(math.log(22 * 25 / 1000))


def test_momentum_leaves_out_the_last_month() -> None:
    close = np.concatenate([[50.0], np.full(231, 70.0), np.full(21, 1000.0)])
    assert last(bars_of(close), "momentum_12_1") == pytest.approx(math.log(70 / 50))


def test_a_split_is_no_drawdown_and_a_dividend_counts_for_it_but_not_for_the_52_week_high() -> None:
    close = np.full(252, 100.0)
    close[100:] = 50
    close[200:] = 45
    share_ratio, cash = np.ones(252), np.zeros(252)
    share_ratio[100], cash[200] = 2, 5
    bars = bars_of(close, share_ratio=share_ratio, cash=cash)
    assert last(bars, "drawdown_252d") == pytest.approx(0, abs=1e-15)
    assert last(bars, "close_to_high_252d") == pytest.approx(45 / 50 - 1)


def test_averages_of_a_line() -> None:
    """A simple mean of n lags (n - 1) / 2 bars behind; the close is 1000 at the end."""
    close = np.arange(201.0, 1001.0)
    for span in (5, 10, 21, 50, 100, 200):
        lag = (span - 1) / 2
        assert last(bars_of(close), f"close_to_sma_{span}") == pytest.approx(
            1000 / (1000 - lag) - 1
        )
    assert last(bars_of(close), "sma_cross_50_200") == pytest.approx(
        (1000 - 24.5) / (1000 - 99.5) - 1
    )


def test_bollinger_of_a_line() -> None:
    """1 to 20: mean 10.5, population variance (20 ^ 2 - 1) / 12."""
    deviation = math.sqrt(399 / 12)
    assert last(bars_of(range(1, 21)), "bollinger_z_20") == pytest.approx(9.5 / deviation)
    assert last(bars_of(range(1, 21)), "bollinger_width_20") == pytest.approx(4 * deviation / 10.5)


@pytest.mark.parametrize(
    ("moves", "expected"), [([1], 100), ([-1], 0), ([0], 50), ([3, 0, -3, 0], None)]
)
def test_relative_strength_counts_gains_among_all_moves(
    moves: list[int], expected: float | None
) -> None:
    changes = np.resize(moves, 112)
    close = 500.0 + np.cumsum(np.concatenate([[0], changes]))
    if expected is None:
        weights = (13 / 14) ** np.arange(112)[::-1]
        expected = 100 * weights[changes > 0].sum() / weights[changes != 0].sum()
    assert last(bars_of(close), "rsi_14") == pytest.approx(expected)


def test_relative_strength_sees_no_loss_in_a_dividend_or_a_split() -> None:
    share_ratio, cash, close = np.ones(113), np.zeros(113), np.full(113, 10.0)
    close[50:], cash[50] = 9.47, 0.53
    close[80:], share_ratio[80] = 9.47 / 2, 2
    assert last(bars_of(close, share_ratio=share_ratio, cash=cash), "rsi_14") == 50


def test_true_range_counts_gaps_but_not_those_that_actions_make() -> None:
    """Bars of 2 around their close, half of it a share after the split; then gaps of 5."""
    close = np.full(113, 100.0)
    close[60:] = 50
    share_ratio = np.where(np.arange(113) == 60, 2.0, 1.0)
    width = np.where(np.arange(113) < 60, 1.0, 0.5)
    bars = bars_of(close, high=close + width, low=close - width, share_ratio=share_ratio)
    assert last(bars, "atr_14") == pytest.approx(1)

    gaps = 100 + 5.0 * np.arange(113)
    bars = bars_of(gaps, high=gaps + 1, low=gaps - 1)
    assert last(bars, "atr_14") == pytest.approx(6)


def test_volatility_of_returns_that_alternate() -> None:
    """Of n returns of plus and minus 1 %, an odd one out: n - 1 / n over n - 1."""
    close = 100 * np.exp(np.cumsum(np.resize([0.01, -0.01], 260)))
    for span in (21, 63):
        assert last(bars_of(close), f"vol_{span}d_annual") == pytest.approx(
            0.01 * math.sqrt((span - 1 / span) / (span - 1)) * ANNUAL
        )
    assert last(bars_of(close), "vol_252d_annual") == pytest.approx(
        0.01 * math.sqrt(252 / 251) * ANNUAL
    )


def test_volatility_from_ranges() -> None:
    """Parkinson (1980) and Garman and Klass (1980), of bars that are all alike."""
    close = np.full(63, 100.0)
    bars = bars_of(close, high=close * math.exp(0.02), low=close, open=close * math.exp(0.01))
    parkinson = 0.02 / math.sqrt(4 * math.log(2))
    garman_klass = math.sqrt(0.5 * 0.02**2 - (2 * math.log(2) - 1) * 0.01**2)
    for span in (21, 63):
        assert last(bars, f"parkinson_vol_{span}d_annual") == pytest.approx(parkinson * ANNUAL)
        assert last(bars, f"garman_klass_vol_{span}d_annual") == pytest.approx(
            garman_klass * ANNUAL
        )


def test_a_range_that_is_smaller_than_the_body_gives_no_garman_klass_volatility() -> None:
    close = np.full(63, 100.0)
    columns = features(bars_of(close, open=close * 1.2))
    assert columns["parkinson_vol_63d_annual"][-1] == 0
    assert np.isnan(columns["garman_klass_vol_63d_annual"][-1])


def against_market(follow: float, drift: float = 0.0) -> Bars:
    market = np.random.default_rng(5).normal(0, 0.01, 253)
    return bars_of(100 * np.exp(np.cumsum(follow * market + drift)), market_log_growth=market)


@pytest.mark.parametrize("follow", [2.0, 1.0, -0.5])
def test_beta_is_how_much_of_the_market_a_symbol_follows(follow: float) -> None:
    bars = against_market(follow, drift=0.001)
    assert last(bars, "beta_252d") == pytest.approx(follow)
    assert last(bars, "market_correlation_252d") == pytest.approx(math.copysign(1, follow))


def test_a_market_or_a_symbol_that_stands_still_has_no_correlation() -> None:
    still = bars_of(np.full(253, 9.0), market_log_growth=against_market(1).market_log_growth)
    assert last(still, "beta_252d") == 0
    assert np.isnan(last(still, "market_correlation_252d"))

    flat_market = bars_of(against_market(1).close, market_log_growth=np.zeros(253))
    assert np.isnan(last(flat_market, "beta_252d"))
    assert np.isnan(last(flat_market, "market_correlation_252d"))


def test_a_session_that_the_market_lacks_leaves_beta_null() -> None:
    bars = against_market(1)
    bars.market_log_growth[100] = np.nan
    assert np.isnan(last(bars, "beta_252d"))


def test_dollar_volume_and_illiquidity() -> None:
    """A price that moves 2 % either way for 3 million dollars."""
    close = 100 * np.cumprod(np.resize([1.02, 0.98], 22))
    bars = bars_of(close, volume=3e6 / close)
    assert last(bars, "dollar_volume") == pytest.approx(3e6)
    assert last(bars, "dollar_volume_21d") == pytest.approx(3e6)
    assert last(bars, "amihud_21d") == pytest.approx(0.02 / 3)


def test_a_session_without_trade_leaves_illiquidity_null_and_counts_for_dollar_volume() -> None:
    volume = np.full(22, 10.0)
    volume[5] = 0
    columns = features(bars_of(np.full(22, 2.1), volume=volume))
    assert np.isnan(columns["amihud_21d"][-1])
    assert columns["dollar_volume_21d"][-1] == pytest.approx(21 * 20 / 21)


def test_unusual_volume_is_measured_in_shares_of_the_session() -> None:
    """62 sessions of 100 and 300 by turns, half as many larger shares before; then 500."""
    volume = np.resize([100.0, 300.0], 63)
    volume[:40] /= 2
    volume[-1] = 500
    share_ratio = np.where(np.arange(63) == 40, 2.0, 1.0)
    comparable = np.append(np.resize([100.0, 300.0], 62), 500)
    bars = bars_of(np.ones(63), volume=volume, share_ratio=share_ratio)
    expected = (500 - comparable.mean()) / comparable.std(ddof=1)
    assert last(bars, "volume_z_63d") == pytest.approx(expected)
    assert np.isnan(last(bars_of(np.ones(63)), "volume_z_63d"))
