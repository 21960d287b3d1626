"""What every page needs that stands in a frame of Airflow: its theme, and what it may load."""

import base64
import hashlib
from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")
"""Follows Airflow's light and dark, and lets links with ``data-leaves`` leave the frame."""

_DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'self'; script-src 'sha256-{_DIGEST}'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer: a page may load nothing, and run no script but the one above."""
