"""``smartinvest bench train``: training and forecasting, beside peers."""
