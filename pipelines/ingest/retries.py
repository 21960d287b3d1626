"""When to ask a source again: waits that grow with jitter, and a breaker that stops asking."""

import datetime as dt
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_RANDOM = secrets.SystemRandom()


def utc_now() -> dt.datetime:
    """Return the current moment (UTC): the clock of those who are given no other."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class RetryPolicy:
    """How often and after which waits a failed request is repeated.

    ``attempts`` counts every time that one thing is asked for. The n-th wait is drawn evenly
    between half and all of ``first_wait_s * growth ** n``, so that several processes that were
    refused together do not come back together ("equal jitter", Brooker 2015, AWS Architecture
    Blog). ``strikes`` refused rounds in a row open the breaker for ``cool_down_s``.
    """

    attempts: int = 4
    first_wait_s: float = 5.0
    growth: float = 3.0
    longest_wait_s: float = 120.0
    strikes: int = 3
    cool_down_s: float = 300.0
    timeout_s: float = 20.0

    def wait(self, failed_rounds: int) -> None:
        """Sleep after some failed rounds, one or more."""
        whole = min(self.first_wait_s * self.growth ** (failed_rounds - 1), self.longest_wait_s)
        time.sleep(_RANDOM.uniform(whole / 2, whole))


class CircuitBreaker:
    """Stops all requests to a source that refuses, for a while, then lets one through to probe.

    Closed: everything passes. Open: nothing does, until the cool-down is over. Then half open: one
    request decides whether it closes or opens again. Thread-safe.
    """

    def __init__(self, policy: RetryPolicy, now_s: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._now_s = now_s
        self._lock = threading.Lock()
        self._strikes = 0
        self._open_until_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing may be asked now."""
        with self._lock:
            return self._open_until_s is not None and self._now_s() < self._open_until_s

    @property
    def is_half_open(self) -> bool:
        """Whether one probe may be asked, since the cool-down is over."""
        with self._lock:
            return self._open_until_s is not None and self._now_s() >= self._open_until_s

    @property
    def closed_in(self) -> dt.timedelta:
        """How long it stays open."""
        with self._lock:
            left_s = 0.0 if self._open_until_s is None else self._open_until_s - self._now_s()
        return dt.timedelta(seconds=max(0, round(left_s)))

    def success(self) -> None:
        """Note that the source answered: close."""
        with self._lock:
            self._strikes = 0
            self._open_until_s = None

    def strike(self) -> None:
        """Note that the source refused; the last of several strikes, or a failed probe, opens."""
        with self._lock:
            self._strikes += 1
            if self._open_until_s is not None or self._strikes >= self._policy.strikes:
                self._open_until_s = self._now_s() + self._policy.cool_down_s
