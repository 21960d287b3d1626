"""The columns of the feature file that the neural model sees, declared once."""

FEATURES = (
    "log_return_1d",
    "log_return_5d",
    "log_return_21d",
    "log_return_63d",
    "log_return_252d",
    "close_to_sma_5",
    "close_to_sma_10",
    "close_to_sma_21",
    "close_to_sma_50",
    "close_to_sma_200",
    "close_to_ema_10",
    "close_to_ema_21",
    "close_to_ema_50",
    "sma_cross_10_50",
    "sma_cross_50_200",
    "ema_cross_10_50",
    "vol_21d_annual",
    "vol_63d_annual",
    "momentum_12_1",
    "drawdown_252d",
    "momentum_rank",
)
"""Free of the price level; ``reversal_21d`` is left out, being minus ``log_return_21d``."""
