"""Post JSON to a URL: few seconds, few attempts, and no word of the URL in any error."""

import time
from typing import Any

TIMEOUT_S = 3.0
"""For each of connecting, sending and the answer's head; the answer's body is not read."""

ATTEMPTS = 3
_PAUSE_S = 0.5


class WebhookError(Exception):
    """No attempt was accepted; says how the last one failed, never the URL, which is a secret."""


def post(url: str, content: dict[str, Any]) -> None:
    """Post JSON, a few times where the server does not answer or says it is busy.

    Raises
    ------
    WebhookError
        No attempt was accepted.
    """
    # Heavy: plugins are imported by every process of Airflow.
    import httpx

    problem = ""
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE_S * 2 ** (attempt - 1))
            try:
                with client.stream("POST", url, json=content) as response:
                    if response.is_success:
                        return
                    problem = f"it answered {response.status_code}"
                    if not _may_pass(response.status_code):
                        break
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                problem = type(error).__name__
    raise WebhookError(problem)


def _may_pass(status: int) -> bool:
    return status == 429 or status >= 500
