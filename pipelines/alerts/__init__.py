"""Alerts: what is late or wrong, where, why and what helps; told once, to people, early.

An alert never holds personal data or secrets, and telling it never stops what it tells of.
"""

from pipelines.alerts.advice import advice_alerts
from pipelines.alerts.alert import BY_A_TASK, Alert, Kind, Severity, Where
from pipelines.alerts.causes import KILLED, Cause, cause_of
from pipelines.alerts.lateness import advice_due, late_advice, late_alerts
from pipelines.alerts.market import market_alerts
from pipelines.alerts.telling import forget_alerts, is_attempt_told, tell

__all__ = [
    "BY_A_TASK",
    "KILLED",
    "Alert",
    "Cause",
    "Kind",
    "Severity",
    "Where",
    "advice_alerts",
    "advice_due",
    "cause_of",
    "forget_alerts",
    "is_attempt_told",
    "late_advice",
    "late_alerts",
    "market_alerts",
    "tell",
]
