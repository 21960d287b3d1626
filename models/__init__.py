"""What data is: declarations of every dataset and table, and the words their columns may hold.

One source for the lake's Parquet schemas, the store's DDL, the suites' columns and the test that
dbt's YAML agrees. Nothing here does I/O or imports anything heavy.
"""
