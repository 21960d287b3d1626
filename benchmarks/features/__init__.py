"""``smartinvest bench features``: bars to every feature of the panel, beside pandas and polars."""
