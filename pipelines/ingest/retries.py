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
    Blog). ``strikes`` refused rounds in a row open the breaker for ``cool_down_s``. Between two
    batches lie between half and all of ``pause_s``.
    """

    attempts: int = 4
    first_wait_s: float = 5.0
    growth: float = 3.0
    longest_wait_s: float = 120.0
    strikes: int = 3
    cool_down_s: float = 300.0
    timeout_s: float = 20.0
    pause_s: float = 4.0

    def wait(self, failed_rounds: int) -> None:
        """Sleep after some failed rounds, one or more."""
        whole = min(self.first_wait_s * self.growth ** (failed_rounds - 1), self.longest_wait_s)
        time.sleep(_RANDOM.uniform(whole / 2, whole))


class Pace:
    """Keeps a pause between the batches of a process; the first one starts at once."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._started = False

    def keep(self) -> None:
        """Sleep, unless nothing was asked before."""
        if self._started:
            time.sleep(_RANDOM.uniform(self._policy.pause_s / 2, self._policy.pause_s))
        self._started = True


class CircuitBreaker:
    """Stops all requests to a source that refuses, for a while, then lets one through to probe.

    Closed: everything passes. Open: nothing does, until the cool-down is over. Then half open: one
    request decides whether it closes or opens again. Thread-safe.
    """

    def __init__(self, policy: RetryPolicy, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._strikes = 0
        self._open_until: dt.datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing may be asked now."""
        return self.cools_down_for > dt.timedelta()

    @property
    def is_half_open(self) -> bool:
        """Whether only a probe may be asked, since the cool-down is just over."""
        with self._lock:
            return self._open_until is not None and self._clock() >= self._open_until

    @property
    def cools_down_for(self) -> dt.timedelta:
        """How long it stays open, at least zero."""
        with self._lock:
            if self._open_until is None:
                return dt.timedelta()
            return max(self._open_until - self._clock(), dt.timedelta())

    def success(self) -> None:
        """Note that the source answered: close."""
        with self._lock:
            self._strikes = 0
            self._open_until = None

    def strike(self) -> None:
        """Note that the source refused; the last of several strikes, or a failed probe, opens."""
        with self._lock:
            self._strikes += 1
            if self._open_until is not None or self._strikes >= self._policy.strikes:
                self._open_until = self._clock() + dt.timedelta(seconds=self._policy.cool_down_s)
