"""How predictions are made: panels, windows, models behind one interface, evaluation, tracking.

Reads the feature Parquet; knows neither the warehouse's database nor the SQL store.
"""
