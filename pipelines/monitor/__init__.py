"""The monitor stage: score forecasts as the future arrives, and say whether to train anew."""

from pipelines.monitor.check import ModelCheck
from pipelines.monitor.stage import current_check, find_check, monitor

__all__ = ["ModelCheck", "current_check", "find_check", "monitor"]
