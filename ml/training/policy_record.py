"""What the choices would have served, fold by fold: the record of the whole procedure."""

import numpy as np

from ml.choice.champion import choose
from ml.choice.validation_record import Incumbent, ValidationRecord
from ml.evaluation import score
from ml.forecasters import Forecasts
from ml.results import Choice, Served, ServedFold
from ml.scores import OutOfSample
from ml.training.out_of_sample import BENCHMARK, Record, at, calibrate, join
from models.vocabulary import ModelRole, ScoredPeriod


def serve_folds(record: Record) -> Served:
    """Choose in each fold by what was validated up to it, and score what that would have served.

    The champion of a fold is the incumbent of the next one. Forecasts are shrunk towards the
    expanding mean by the confidence earned up to the fold, and calibrated like any model's.
    """
    folds, tests = [], []
    incumbent: Incumbent | None = None
    for number, split in enumerate(record.walk.folds):
        choice = choose(record.candidates(number + 1), incumbent)
        earned = record.pooled(choice.model_name, _validations(record, number + 1)).mean
        weights = record.validation_through(number + 1).confidence(earned)
        tests.append(at(_served(record, number, choice.model_name, weights), split.test))
        folds.append(
            ServedFold(
                test_start=record.panel.session(split.test[0]),
                test_end=record.panel.session(split.test[-1]),
                choice=choice,
                confidence=weights,
            )
        )
        incumbent = _incumbent(record, number, choice)
    test = join(tests)
    scores = score(record.test, test, ScoredPeriod.TEST)
    return Served(tuple(folds), scores.scores, scores.symbol_scores, scores.coverage, test)


def _served(record: Record, number: int, name: str, weights: tuple[float, ...]) -> OutOfSample:
    fit = record.fits[number][name]
    benchmark = record.fits[number][BENCHMARK].forecasts.mean
    weight = np.array(weights)[:, None, None]

    def shrunk(forecasts: Forecasts) -> Forecasts:
        return Forecasts(benchmark + weight * (forecasts.mean - benchmark), forecasts.stdev)

    return calibrate(record, number, shrunk(fit.forecasts), [shrunk(each) for each in fit.seeds])


def _incumbent(record: Record, number: int, choice: Choice) -> Incumbent | None:
    """Return the champion of a fold as the next one finds it: with its forecasts up to now."""
    if choice.role is not ModelRole.CHAMPION:
        return None
    known = record.candidates(number + 1)
    return Incumbent(
        name=choice.model_name,
        version=number + 1,
        same_method=True,
        record=ValidationRecord(
            sessions=known.sessions,
            symbols=known.symbols,
            horizons=record.horizons,
            mean=record.pooled(choice.model_name, _validations(record, number + 1)).mean,
        ),
    )


def _validations(record: Record, splits: int) -> list[range]:
    return [split.validation for split in record.walk.splits[:splits]]
