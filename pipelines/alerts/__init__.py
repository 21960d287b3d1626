"""Alerts: what is late or wrong, where, why and what helps; told once, to people, early.

An alert never holds personal data or secrets, and telling it never stops what it tells of.
"""

from pipelines.alerts.alert import Alert, Kind, Severity, Where
from pipelines.alerts.causes import Cause, cause_of
from pipelines.alerts.market import market_alerts
from pipelines.alerts.telling import forget_alerts, tell

__all__ = [
    "Alert",
    "Cause",
    "Kind",
    "Severity",
    "Where",
    "cause_of",
    "forget_alerts",
    "market_alerts",
    "tell",
]
