"""The warehouse stage: snapshot the clients, build with dbt in a new file, publish by pointer."""

from pipelines.warehouse.duckdb import connect
from pipelines.warehouse.record import WarehouseBuild, verify
from pipelines.warehouse.stage import build_for, rebuild, transform

__all__ = ["WarehouseBuild", "build_for", "connect", "rebuild", "transform", "verify"]
