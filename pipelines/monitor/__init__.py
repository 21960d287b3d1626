"""The monitor stage: score forecasts as the future arrives, and say whether to train anew."""

from pipelines.monitor.check import ModelCheck
from pipelines.monitor.stage import find_check, monitor

__all__ = ["ModelCheck", "find_check", "monitor"]
