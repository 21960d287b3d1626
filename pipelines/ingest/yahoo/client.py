"""One request to Yahoo's chart through yfinance, and what its failures mean."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yfinance as yf
from yfinance.data import YfData
from yfinance.exceptions import YFException, YFRateLimitError

from pipelines.ingest.yahoo.chart import Chart, MalformedAnswer, read_chart

_CHART = "https://query2.finance.yahoo.com/v8/finance/chart/"
_REFUSALS = (401, 403, 429, 999)
_EXCERPT = 500
_MISUNDERSTOOD = (LookupError, TypeError, AttributeError, ValueError)
"""What yfinance raises over a cookie or consent page that it did not expect."""


class FailureKind(StrEnum):
    """Why a symbol has no chart."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    MISSING = "missing"


@dataclass(frozen=True)
class Failure:
    """One request that brought no chart; ``received`` is what came instead, shortened."""

    kind: FailureKind
    reason: str
    received: str = ""


@cache
def keep_cookies_apart(parent: Path | None = None) -> "TemporaryDirectory[str]":
    """Give yfinance's cookie database a folder of this process, before its first request.

    Its usual place under the user's cache is shared by all processes, which lock each other out.
    The folder lies under ``parent``, or the system's temporary one, and goes with the process.
    """
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    folder = TemporaryDirectory(prefix="smartinvest-yahoo-", dir=parent)
    yf.set_tz_cache_location(folder.name)
    return folder


def ask_chart(symbol: str, first: dt.date, until: dt.date, timeout_s: float) -> Chart | Failure:
    """Ask for the daily bars and events of one symbol from a day to before another.

    Cookies, crumb, consent pages and the browser's TLS fingerprint are yfinance's work; ``YfData``
    is its one session, shared by all threads. ``YfData.get`` is used since ``history()`` answers
    from a process-wide cache, which would hide restatements and hold on to errors, and first asks
    for the time zone, which doubles the requests.
    """
    parameters = {
        "period1": _midnight(first),
        "period2": _midnight(until),
        "interval": "1d",
        "includePrePost": "false",
        "events": "div,splits,capitalGains",
    }
    try:
        response = YfData().get(f"{_CHART}{symbol}", parameters, timeout_s)
    except YFRateLimitError:
        return Failure(FailureKind.REFUSED, "Yahoo answered 429, too many requests")
    except (OSError, YFException) as error:  # curl's errors are OSErrors
        return Failure(FailureKind.UNREACHABLE, f"{type(error).__name__}: {error}")
    except _MISUNDERSTOOD as error:
        reason = f"yfinance cannot get through to Yahoo ({type(error).__name__}: {error})"
        return Failure(FailureKind.UNREACHABLE, reason)
    status, text = response.status_code, response.text
    if status in _REFUSALS:
        return Failure(FailureKind.REFUSED, f"Yahoo answered {status}", text[:_EXCERPT])
    if status >= 500:
        return Failure(FailureKind.UNREACHABLE, f"Yahoo answered {status}", text[:_EXCERPT])
    try:
        answer = response.json()
        explanation = _explanation(answer)
        if explanation is not None or status >= 400:
            return Failure(FailureKind.MISSING, explanation or f"Yahoo answered {status}")
        return read_chart(symbol, answer)
    except (MalformedAnswer, ValueError, AttributeError) as error:
        reason = f"the answer is no chart ({error})"
        return Failure(FailureKind.MALFORMED, reason, text[:_EXCERPT])


def _midnight(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp())


def _explanation(answer: dict[str, dict[str, dict[str, str] | None]]) -> str | None:
    """Return Yahoo's own words about why there is nothing, if it has any."""
    error = (answer.get("chart") or {}).get("error")
    return None if not error else f"Yahoo says: {error.get('description') or error.get('code')}"
