"""Waits that grow, and a breaker that opens, cools down and probes."""

import datetime as dt

import pytest

from pipelines.ingest import retries
from pipelines.ingest.retries import CircuitBreaker, RetryPolicy

POLICY = RetryPolicy(first_wait_s=4, growth=3, longest_wait_s=20, strikes=3, cool_down_s=60)


def test_waits_grow_to_their_limit_and_keep_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", waited.append)
    for failed_rounds in (1, 2, 3):
        for _ in range(50):
            POLICY.wait(failed_rounds)
    for start, whole in ((0, 4), (50, 12), (100, 20)):
        drawn = waited[start : start + 50]
        assert whole / 2 <= min(drawn) < max(drawn) <= whole
        assert len(set(drawn)) > 40


def test_the_breaker_opens_at_the_last_strike_and_probes_once_it_cooled_down() -> None:
    now = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    breaker = CircuitBreaker(POLICY, lambda: now)
    for _ in range(2):
        breaker.strike()
        assert not breaker.is_open
    breaker.strike()
    assert breaker.is_open
    assert breaker.cools_down_for == dt.timedelta(seconds=60)
    now += dt.timedelta(seconds=60)
    assert not breaker.is_open
    assert breaker.is_half_open
    breaker.strike()
    assert breaker.is_open
    now += dt.timedelta(seconds=60)
    breaker.success()
    assert not breaker.is_open
    assert not breaker.is_half_open


def test_an_answer_in_between_forgives_the_strikes() -> None:
    breaker = CircuitBreaker(POLICY)
    for _ in range(5):
        breaker.strike()
        breaker.strike()
        breaker.success()
    assert not breaker.is_open
