"""Judge bars one after the other as arrays: what is rejected is no reference for what follows.

All bars are first taken for accepted. Where one fails, it and the bars after it that fail beside
the same reference are taken out, and the rest of that symbol is looked at again. So the result is
that of a loop over the bars, in as many rounds as a symbol has runs of bad bars.
"""

import numpy as np
import numpy.typing as npt

from expectations.prices import HISTORY_SUITE
from pipelines.quality.judging.compiled import Batch, failing
from pipelines.quality.judging.cross_section import MarketMoves, shared_bars
from pipelines.quality.judging.history import Bars, Derived, derive, is_flat
from pipelines.quality.judging.past import WINDOW_BARS, past_of_each

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_MOVE_RULES = ("move_is_plausible", "fall_is_plausible", "overnight_gap_is_no_split")


def judge_series(bars: Bars, is_new: Mask) -> tuple[Mask, Derived]:
    """Return which bars are rejected, and the derived columns that decided it.

    Parameters
    ----------
    bars : by symbol and session, one per pair.
    is_new : the bars to judge; the others were accepted before.
    """
    return _Series(bars, is_new).judged()


class _Series:
    def __init__(self, bars: Bars, is_new: Mask) -> None:
        self.bars, self.is_new = bars, is_new
        self.rejected = np.zeros(len(bars), dtype=bool)
        self.derived: Derived = {}
        self.shared = np.zeros(len(bars))
        self.market = MarketMoves.unknown()

    def judged(self) -> tuple[Mask, Derived]:
        rows = np.arange(len(self.bars))
        open_ = self.is_new
        first_round = True
        while rows.size and open_.any():
            bars = self.bars if first_round else self.bars.take(rows)
            accepted = _Accepted(bars)
            derived = accepted.derived_of_next(self.market, self.shared[rows])
            if first_round:
                derived = self._beside_the_session(accepted, derived)
                self.derived = derived
                first_round = False
            else:
                self._write(rows[open_], {name: v[open_] for name, v in derived.items()})
            fails = _failures(derived) & open_
            if not fails.any():
                break
            rows, open_ = self._next_round(rows, open_, fails, accepted)
        return self.rejected, self.derived

    def _beside_the_session(self, accepted: "_Accepted", derived: Derived) -> Derived:
        """Look at the other bars of the sessions in which something looks odd."""
        self.shared = shared_bars(self.bars, self.is_new, derived)
        suspect = _failures(derived, _MOVE_RULES)
        if suspect.any():
            self.market = MarketMoves.of(self.bars, derived["log_move"])
        elif not self.shared.any():
            return derived | {"bars_shared": self.shared}
        return accepted.derived_of_next(self.market, self.shared)

    def _next_round(
        self, rows: Ints, open_: Mask, fails: Mask, accepted: "_Accepted"
    ) -> tuple[Ints, Mask]:
        """Reject each symbol's first run of bad bars; return what to look at again."""
        starts = np.flatnonzero(accepted.starts)
        ends = np.append(starts[1:], len(rows))
        of_symbol = np.searchsorted(starts, np.flatnonzero(fails), side="right") - 1
        symbols, first_failure = np.unique(of_symbol, return_index=True)
        firsts = np.flatnonzero(fails)[first_failure]
        lasts = ends[symbols]
        # Beside the bar before the first bad one, which stays the reference of all that follow.
        lengths = lasts - firsts
        tail = _ranges(firsts, lengths)
        reference = np.repeat(firsts - 1, lengths)
        beside = accepted.derived(
            tail, reference, self.market.at(accepted.bars.session[tail]), self.shared[rows[tail]]
        )
        passes = ~(_failures(beside) & open_[tail])
        bounds = np.append(0, np.cumsum(lengths))
        kept_rows, kept_open = [], []
        for number, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
            one = slice(bounds[number], bounds[number + 1])
            # The first one failed, so it goes even if a low bit differs here.
            good = np.flatnonzero(passes[one][1:])
            next_ = first + 1 + good[0] if good.size else last
            bad = slice(bounds[number], bounds[number] + next_ - first)
            gone = rows[first:next_]
            new = open_[first:next_]
            self.rejected[gone[new]] = True
            self._write(gone[new], {name: values[bad][new] for name, values in beside.items()})
            if next_ < last:
                context = max(starts[symbols[number]], first - WINDOW_BARS - 1)
                kept_rows += [rows[context:first], rows[next_:last]]
                kept_open += [np.zeros(first - context, dtype=bool), open_[next_:last]]
        if not kept_rows:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
        return np.concatenate(kept_rows), np.concatenate(kept_open)

    def _write(self, rows: Ints, derived: Derived) -> None:
        for name, values in derived.items():
            self.derived[name][rows] = values


class _Accepted:
    """Bars taken for accepted, and what is known after each."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.starts = np.ones(len(bars), dtype=bool)
        self.starts[1:] = bars.symbol[1:] != bars.symbol[:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            log_close = np.log(bars.close) + bars.split_log
        moves = np.diff(log_close, prepend=np.nan)
        moves[self.starts] = np.nan
        same = np.zeros(len(bars), dtype=bool)
        same[1:] = bars.close[1:] == bars.close[:-1]
        self.past = past_of_each(self.starts, moves, same, bars.volume, is_flat(bars))

    def derived_of_next(self, market: MarketMoves, shared: Floats) -> Derived:
        """Derive each bar's columns beside the bar before it."""
        reference = np.arange(-1, len(self.bars) - 1, dtype=np.int64)
        reference[self.starts] = -1
        return derive(self.bars, self.bars, self.past, reference, market.at(self.bars.session)) | {
            "bars_shared": shared
        }

    def derived(self, rows: Ints, reference: Ints, market_move: Floats, shared: Floats) -> Derived:
        """Derive the columns of some bars beside a reference each."""
        bars = self.bars.take(rows)
        return derive(bars, self.bars, self.past, reference, market_move) | {"bars_shared": shared}


def _failures(derived: Derived, names: tuple[str, ...] | None = None) -> Mask:
    batch = Batch(derived, len(derived["log_move"]))
    fails = np.zeros(batch.rows, dtype=bool)
    for rule in HISTORY_SUITE:
        if names is None or rule.name in names:
            fails[failing(rule, batch)] = True
    return fails


def _ranges(firsts: Ints, lengths: Ints) -> Ints:
    """Return the numbers ``first, first + 1, ...`` of each range, one range after the other."""
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(firsts, lengths) + np.arange(lengths.sum()) - offsets
