"""One request to FRED, repeated while that may help; no error or log line names its address.

The API takes its key in the address, and httpx puts addresses into its log and its errors.
"""

import logging
import time
from collections.abc import Mapping

import httpx

from pipelines.ingest.retries import RetryPolicy

_EXCERPT = 500
_PIECES = 5
"""A whole answer may take as many times the limit for one piece of it."""


class FredFailure(Exception):  # noqa: N818
    """A request that brought no observations, ``received`` being what came instead."""

    def __init__(self, reason: str, received: str = "", transient: bool = True) -> None:
        super().__init__(reason)
        self.received = received
        self.transient = transient


def ask(
    client: httpx.Client, policy: RetryPolicy, url: str, parameters: Mapping[str, str]
) -> httpx.Response:
    """Return the answer with status 200.

    Raises
    ------
    FredFailure
        There is none, or the request is wrong and repeating it would not help.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    failure = FredFailure("FRED was not asked")
    for attempt in range(policy.attempts):
        if attempt:
            policy.wait(attempt)
        try:
            return _answer(client, url, parameters)
        except FredFailure as latest:
            failure = latest
        if not failure.transient:
            break
    raise failure


def _answer(client: httpx.Client, url: str, parameters: Mapping[str, str]) -> httpx.Response:
    try:
        response = _whole(client, url, parameters)
    except httpx.HTTPError as error:
        # Its text may hold the address, and with it the key.
        raise FredFailure(f"FRED cannot be reached ({type(error).__name__})") from None
    if response.status_code == httpx.codes.OK:
        return response
    transient = response.status_code == 429 or response.status_code >= 500
    reason = f"FRED answered {response.status_code}"
    raise FredFailure(reason, excerpt(response.text, parameters), transient)


def _whole(client: httpx.Client, url: str, parameters: Mapping[str, str]) -> httpx.Response:
    """Read an answer to its end, but not for ever: httpx limits the wait for each piece only."""
    deadline = time.monotonic() + _PIECES * (client.timeout.read or 0)
    with client.stream("GET", url, params=parameters) as response:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer does not end")
    return httpx.Response(response.status_code, content=bytes(body), request=response.request)


def excerpt(text: str, parameters: Mapping[str, str]) -> str:
    """Return the beginning of what was received, without the key: error pages repeat addresses."""
    key = parameters.get("api_key")
    return (text.replace(key, "***") if key else text)[:_EXCERPT]
