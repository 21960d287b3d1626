"""A small one of every model, and a fair way to ask whether one has skill."""

from dataclasses import dataclass, replace

import numpy as np
from ml_examples import DAILY_VOLATILITY, panel_of, random_walk
from numpy.typing import NDArray

from ml.evaluation import r2_out_of_sample, scored_by_all
from ml.forecasters import AVERAGE, LSTM, Forecaster, forecaster_class
from ml.forecasters.targets import benchmark_and_scale
from ml.panel import Panel
from ml.rolling import Floats
from ml.splits import FoldPlan, Split, walk_forward
from ml.work import Work

SEED = 3
BLOCK_SESSIONS = 21
SHUFFLES = 999


def autoregressive(sessions: int = 2000, symbols: int = 12, seed: int = 1) -> Floats:
    """Daily log returns around a mean that is an AR(1) of half-life 23 sessions."""
    generator = np.random.default_rng(seed)
    returns = random_walk(sessions, symbols, seed + 1)
    mean = np.zeros(symbols)
    for session in range(sessions):
        mean = 0.97 * mean + generator.normal(0.0, 0.2 * DAILY_VOLATILITY, symbols)
        returns[session] += mean
    return returns


def small_model(name: str) -> Forecaster:
    """A model that fits in about a second."""
    if name == AVERAGE:
        from ml.forecasters.average import AverageForecaster

        return AverageForecaster.of(small_model(member) for member in ("sma", "ema", "ridge"))
    if name == LSTM:
        from lstm_examples import TINY

        from ml.forecasters.lstm.forecaster import LstmForecaster

        return LstmForecaster(settings=TINY)
    if name == "lightgbm":
        from ml.forecasters.gradient_boosting import GradientBoostingForecaster

        return GradientBoostingForecaster(seeds=2)
    return forecaster_class(name)()


def split_of(panel: Panel) -> Split:
    """One fold: training, validation and test."""
    return walk_forward(len(panel), FoldPlan(folds=1, test_share=0.2)).folds[0]


def fitted(name: str, panel: Panel, split: Split | None = None) -> Forecaster:
    """The small model of that name, fitted."""
    model = small_model(name)
    model.fit(panel, split or split_of(panel), Work(SEED))
    return model


@dataclass(frozen=True, kw_only=True)
class ShuffledPanel(Panel):
    """A panel whose outcomes are those of other sessions.

    Blocks of sessions change places: outcomes of neighbouring sessions and of symbols stay
    together, but know nothing of the features beside them. ``order`` holds, for each session, the
    session whose outcome it has.
    """

    order: NDArray[np.int64]

    def forward_log_return(self, horizon_sessions: int) -> Floats:
        """Return the outcomes of the other sessions."""
        return super().forward_log_return(horizon_sessions)[self.order]


@dataclass(frozen=True, kw_only=True)
class NewsPanel(Panel):
    """A panel whose outcomes are the benchmark and news, of which nothing knows beforehand.

    So no forecast is better than the benchmark, and whatever departs from it is worse. Of a random
    walk alone that would not be true: its symbols share a mean, which is known better from all.
    """

    news: Floats

    def forward_log_return(self, horizon_sessions: int) -> Floats:
        """Return the benchmark with the news of the sessions ahead, in units of volatility."""
        benchmark, scale = benchmark_and_scale(self, horizon_sessions)
        so_far = np.cumsum(self.news, axis=0)
        ahead = np.full(so_far.shape, np.nan)
        ahead[:-horizon_sessions] = so_far[horizon_sessions:] - so_far[:-horizon_sessions]
        return benchmark + scale * ahead / np.sqrt(horizon_sessions)


def news_only(sessions: int, symbols: int, seed: int) -> NewsPanel:
    """A panel in which the benchmark is all that can be known."""
    panel = panel_of(random_walk(sessions, symbols, seed))
    fields = {name: getattr(panel, name) for name in panel.__dataclass_fields__}
    generator = np.random.default_rng((seed, 1))
    return NewsPanel(**fields, news=generator.normal(size=(sessions, symbols)))


def shuffled(panel: Panel, split: Split, seed: int) -> Panel:
    """The panel with outcomes shuffled up to the test, and within it."""
    generator = np.random.default_rng(seed)
    before = shuffled_blocks(range(split.test.start), generator)
    rest = np.arange(split.test.stop, len(panel))
    order = np.concatenate([before, shuffled_blocks(split.test, generator), rest])
    fields = {name: getattr(panel, name) for name in panel.__dataclass_fields__}
    return ShuffledPanel(**fields, order=order)


def shuffled_blocks(sessions: range, generator: np.random.Generator) -> NDArray[np.int64]:
    """Positions in another order, block by block."""
    cuts = range(BLOCK_SESSIONS, len(sessions), BLOCK_SESSIONS)
    parts = np.split(np.array(sessions), cuts)
    return np.concatenate([parts[number] for number in generator.permutation(len(parts))])


@dataclass(frozen=True)
class Skill:
    """Out-of-sample R2 on the test, beside those against the test's outcomes in other orders.

    Where forecasts know nothing of the outcomes, every order is as likely as the one that came; so
    the chance that R2 is above (or below) all others is one in a thousand, exactly.
    """

    r2: float
    r2_of_shuffled: Floats

    @property
    def is_found(self) -> bool:
        """Whether it is above all others."""
        return bool(self.r2 > self.r2_of_shuffled.max())

    @property
    def is_chance(self) -> bool:
        """Whether it lies among the others."""
        return bool(self.r2_of_shuffled.min() <= self.r2 <= self.r2_of_shuffled.max())


def skill(model: Forecaster, panel: Panel, split: Split, horizon: int) -> Skill:
    """Judge a fitted model on the test range."""
    rows = slice(split.test.start, split.test.stop)
    mean = model.predict(panel, split.test).mean[model.horizons.index(horizon)]
    benchmark = benchmark_and_scale(panel, horizon)[0][rows]
    outcomes = panel.forward_log_return(horizon)[rows]

    def r2(truth: Floats) -> float:
        found = r2_out_of_sample(truth, mean, benchmark, scored_by_all(truth, mean, benchmark))
        assert found is not None
        return found

    generator = np.random.default_rng(17)
    orders = [shuffled_blocks(range(len(outcomes)), generator) for _ in range(SHUFFLES)]
    return Skill(r2(outcomes), np.array([r2(outcomes[order]) for order in orders]))


def with_late_changes(panel: Panel, split: Split) -> Panel:
    """The panel with everything changed that a fit must not see.

    Features from the end of training on, and returns from where its longest label ends.
    """
    generator = np.random.default_rng(5)
    last = split.train[-1]
    values, shared = panel.values.copy(), panel.session_values.copy()
    returns = panel.log_return_1d.copy()
    for array, first in (
        (values, last + 1),
        (shared, last + 1),
        (returns, split.last_fitted_outcome + 1),
    ):
        array[first:] = generator.normal(0.1, 0.2, array[first:].shape)
    return replace(panel, values=values, session_values=shared, log_return_1d=returns)
