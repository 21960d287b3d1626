"""What the allocation would have earned: a walk-forward backtest, net of costs."""
