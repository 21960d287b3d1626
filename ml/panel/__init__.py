"""What models see: features of all symbols on one axis of sessions, as read from a build."""

from ml.panel.panel import (
    LEAST_HISTORY_SESSIONS,
    RETURN_COLUMN,
    VOLATILITY_WINDOW_SESSIONS,
    Panel,
    date_of,
)

__all__ = [
    "LEAST_HISTORY_SESSIONS",
    "RETURN_COLUMN",
    "VOLATILITY_WINDOW_SESSIONS",
    "Panel",
    "date_of",
]
