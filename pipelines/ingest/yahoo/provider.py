"""The ``yahoo`` source: Yahoo Finance through yfinance, and FRED for the economy."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import yfinance as yf

from models.vocabulary import Arrival, Source
from pipelines.errors import SourceError
from pipelines.ingest.fred import Fred
from pipelines.ingest.provider import ACTION_SCHEMA, PRICE_SCHEMA, Delivery, Problem
from pipelines.ingest.retries import CircuitBreaker, Pace, RetryPolicy, utc_now
from pipelines.ingest.universe import Universe
from pipelines.ingest.yahoo.batch import BatchAnswer, ask_batch, refusal
from pipelines.ingest.yahoo.chart import Chart
from pipelines.ingest.yahoo.client import Failure, FailureKind, ask_chart, keep_cookies_apart
from pipelines.ingest.yahoo.rows import rows_of
from pipelines.sessions import newest_available

SYMBOLS_PER_BATCH = 20
_DAYS_BEFORE = dt.timedelta(days=10)
"""A split on the first session wanted, and its return, need a bar before it."""

_REMEDIES = {
    FailureKind.REFUSED: "Wait and run the ingest again; ask less often if it keeps happening.",
    FailureKind.UNREACHABLE: "Check the network and run the ingest again.",
    FailureKind.MALFORMED: "Run the ingest again; look at the received text if it stays so.",
    FailureKind.MISSING: "Check the symbol; what is said of a delisting proves nothing.",
}


class YahooProvider:
    """Prices, dividends, capital gains and splits of a universe.

    Parameters
    ----------
    universe : instruments and memberships to ask for.
    fred : where macro series come from.
    policy : waits and limits of the requests to Yahoo.
    clock : says which session's bars are complete, and when the breaker has cooled down; no other
        market date comes from it.
    cache : folder for what yfinance stores while the process lives; the system's temporary one
        if none is given.
    """

    source = Source.YAHOO
    arrival = Arrival.POLLED

    def __init__(
        self,
        universe: Universe,
        fred: Fred,
        policy: RetryPolicy | None = None,
        clock: Callable[[], dt.datetime] = utc_now,
        cache: Path | None = None,
    ) -> None:
        self._universe = universe
        self._fred = fred
        self._policy = policy or RetryPolicy()
        self._clock = clock
        self._cache = cache
        self._pace = Pace(self._policy)
        self._breaker = CircuitBreaker(self._policy, clock)
        self._currencies: dict[str, str] = dict(
            zip(
                universe.instruments["symbol"].to_pylist(),
                universe.instruments["currency"].to_pylist(),
                strict=True,
            )
        )

    def first_session(self) -> dt.date:
        """Return the first session of the oldest instrument."""
        first: dt.date = pc.min(self._universe.instruments["first_session"]).as_py()
        return first

    def newest_session(self) -> dt.date:
        """Return the newest session that closed at least the publication delay ago."""
        return newest_available(self._clock())

    def instruments(self) -> pa.Table:
        """Return the universe's instruments."""
        return self._universe.instruments

    def universe(self) -> pa.Table:
        """Return the universe's memberships."""
        return self._universe.memberships

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        """Return the instruments that exist by a session, in groups of at most 20.

        Those that left the universe stay in, since accounts may still hold them.
        """
        exists = pc.field("first_session") <= pa.scalar(session, pa.date32())
        symbols = sorted(self._universe.instruments.filter(exists)["symbol"].to_pylist())
        return [
            tuple(symbols[start : start + SYMBOLS_PER_BATCH])
            for start in range(0, len(symbols), SYMBOLS_PER_BATCH)
        ]

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        """Return as-traded bars, and actions, of some symbols from start to end.

        Whatever the end, Yahoo is asked up to today: its prices contain every split until then,
        and only the same answer says which those are. Sessions that are not complete are left out.

        Raises
        ------
        SourceError
            Yahoo refused everything that was asked.
        """
        keep_cookies_apart(self._cache)
        self._pace.keep()
        last = min(end, self.newest_session())
        until = self._clock().date() + dt.timedelta(days=1)

        def ask(symbol: str) -> Chart | Failure:
            return ask_chart(symbol, start - _DAYS_BEFORE, until, self._policy.timeout_s)

        answer = ask_batch(symbols, ask, self._policy, self._breaker)
        if self._breaker.is_open and not answer.charts:
            raise SourceError(
                "source", Source.YAHOO, self._why(answer), "Run the ingest again then."
            )
        parts = [
            rows_of(chart, start, last, self._currencies.get(symbol))
            for symbol, chart in sorted(answer.charts.items())
        ]
        oddities = tuple(problem for part in parts for problem in part.problems)
        return Delivery(
            prices=pa.concat_tables([PRICE_SCHEMA.empty_table(), *(p.prices for p in parts)]),
            actions=pa.concat_tables([ACTION_SCHEMA.empty_table(), *(p.actions for p in parts)]),
            problems=(*self._problems(answer), *oddities),
            origin=f"yfinance {yf.__version__}, chart 1d, {start} to {last}, unadjusted for splits",
        )

    def macro(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        """Return FRED's observations from start to end."""
        return self._fred.observations(start, end)

    def _why(self, answer: BatchAnswer) -> str:
        """Say why nothing came, with the last failure of a symbol as an example."""
        reasons = [failure.reason for _, failure in sorted(answer.failures.items())]
        return "; ".join([refusal(self._breaker), *reasons[:1]])

    def _problems(self, answer: BatchAnswer) -> tuple[Problem, ...]:
        failed = [
            Problem(
                symbol,
                failure.reason,
                _REMEDIES[failure.kind],
                (failure.received,) if failure.received else (),
            )
            for symbol, failure in sorted(answer.failures.items())
        ]
        held_back = [
            Problem(symbol, refusal(self._breaker), _REMEDIES[FailureKind.REFUSED])
            for symbol in answer.not_asked
        ]
        return (*failed, *held_back)
