"""Many symbols at once: rounds over those that failed, with waits between and a breaker above."""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pipelines.ingest.retries import CircuitBreaker, RetryPolicy
from pipelines.ingest.yahoo.chart import Chart
from pipelines.ingest.yahoo.client import Failure, FailureKind

THREADS = 3

Ask = Callable[[str], Chart | Failure]


@dataclass
class BatchAnswer:
    """What became of a batch: a chart or the last failure of each symbol that was asked for.

    ``not_asked`` are symbols that the breaker held back.
    """

    charts: dict[str, Chart] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    not_asked: tuple[str, ...] = ()


def ask_batch(
    symbols: Sequence[str], ask: Ask, policy: RetryPolicy, breaker: CircuitBreaker
) -> BatchAnswer:
    """Ask for all symbols, and again for those that failed until their attempts are used up.

    A refusal ends its round: symbols not yet asked wait with the others. It uses up nobody's
    attempts, but rounds that bring nothing but refusals open the breaker. A symbol that Yahoo does
    not know is asked once more, since that answer also comes by mistake.
    """
    answer = BatchAnswer()
    attempts = dict.fromkeys(symbols, 0)
    pending = list(dict.fromkeys(symbols))
    failed_rounds = 0
    while pending and not breaker.is_open:
        if failed_rounds:
            policy.wait(failed_rounds)
        outcomes = _round(pending[:1] if breaker.is_half_open else pending, ask)
        for symbol, outcome in outcomes.items():
            if isinstance(outcome, Chart):
                answer.charts[symbol] = outcome
                answer.failures.pop(symbol, None)
            else:
                answer.failures[symbol] = outcome
                attempts[symbol] += outcome.kind is not FailureKind.REFUSED
        _judge(outcomes, breaker, probed=breaker.is_half_open)
        progressed = any(isinstance(outcome, Chart) for outcome in outcomes.values())
        failed_rounds = 1 if progressed else failed_rounds + 1
        pending = [
            symbol
            for symbol in pending
            if symbol not in answer.charts
            and attempts[symbol] < _allowed(answer.failures.get(symbol), policy)
        ]
    answer.not_asked = tuple(symbol for symbol in pending if symbol not in answer.failures)
    return answer


def refusal(breaker: CircuitBreaker) -> str:
    """Say why symbols are not asked for while the breaker is open."""
    seconds = math.ceil(breaker.cools_down_for.total_seconds())
    return f"Yahoo refused or did not answer repeatedly; it is left alone for another {seconds} s"


def _allowed(failure: Failure | None, policy: RetryPolicy) -> int:
    if failure is not None and failure.kind is FailureKind.MISSING:
        return min(2, policy.attempts)
    return policy.attempts


def _round(symbols: Sequence[str], ask: Ask) -> dict[str, Chart | Failure]:
    """Ask for each symbol once, until one is refused; return what was asked."""
    refused = threading.Event()

    def ask_unless_refused(symbol: str) -> Chart | Failure | None:
        if refused.is_set():
            return None
        outcome = ask(symbol)
        if isinstance(outcome, Failure) and outcome.kind is FailureKind.REFUSED:
            refused.set()
        return outcome

    with ThreadPoolExecutor(THREADS, thread_name_prefix="yahoo") as threads:
        outcomes = zip(symbols, threads.map(ask_unless_refused, symbols), strict=True)
        return {symbol: outcome for symbol, outcome in outcomes if outcome is not None}


def _judge(outcomes: dict[str, Chart | Failure], breaker: CircuitBreaker, probed: bool) -> None:
    """Tell the breaker what a round says about the source as a whole.

    One symbol that cannot be reached says nothing, unless it was the probe; a round in which none
    can says as much as a refusal. An answer that a symbol is unknown is an answer.
    """
    kinds = [
        outcome.kind if isinstance(outcome, Failure) else None for outcome in outcomes.values()
    ]
    silent = {FailureKind.REFUSED, FailureKind.UNREACHABLE}
    if any(kind not in silent for kind in kinds):
        breaker.success()
    elif FailureKind.REFUSED in kinds or len(kinds) > 1 or probed:
        breaker.strike()
