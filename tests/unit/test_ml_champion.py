"""Which model serves, on made-up validation records with and without skill."""

from dataclasses import replace

import numpy as np
import pytest
from ml_examples import dates_of

from ml.choice.champion import LEVEL, ValidationForecasts, choose
from ml.choice.validation_record import Incumbent, ValidationRecord
from ml.errors import TrainingError
from ml.forecasters import BASELINES, CANDIDATES, MODELS
from models.vocabulary import ModelRole

SESSIONS, SYMBOLS, HORIZON = 600, 8, 5
SIMULATIONS = 200


def record(seed: int = 1, **skill: float) -> ValidationForecasts:
    """Overlapping outcomes, and forecasts of small errors of their own.

    ``skill`` says how much of what can be known a model knows; the others know nothing.
    """
    generator = np.random.default_rng(seed)
    daily = generator.normal(0, 0.01, (SESSIONS + HORIZON, SYMBOLS))
    unknown = np.array([daily[row : row + HORIZON].sum(axis=0) for row in range(SESSIONS)])
    known = generator.normal(0, 0.005, unknown.shape)
    means = {
        name: generator.normal(0, 0.001, unknown.shape) + skill.get(name, 0.0) * known
        for name in MODELS
    }
    means["naive"] = np.zeros(unknown.shape)
    return ValidationForecasts(
        sessions=np.array(dates_of(SESSIONS), "datetime64[D]"),
        positions=np.arange(SESSIONS),
        symbols=tuple(f"S{number}" for number in range(SYMBOLS)),
        horizon_sessions=HORIZON,
        outcomes=unknown + known,
        means=means,
    )


def in_service(
    validation: ValidationForecasts, name: str, *, same_method: bool = True, share: float = 1.0
) -> Incumbent:
    """A champion in service whose record is of the first share of the same sessions."""
    rows = slice(0, round(share * SESSIONS))
    forecasts = ValidationRecord(
        validation.sessions[rows],
        validation.symbols,
        (HORIZON,),
        validation.means[name][None, rows],
    )
    return Incumbent(name, 3, same_method, forecasts)


def test_a_candidate_with_planted_skill_becomes_champion() -> None:
    choice = choose(record(lightgbm=1.0, lstm=0.3))
    assert (choice.model_name, choice.role, choice.kept) == (
        "lightgbm",
        ModelRole.CHAMPION,
        False,
    )
    assert [each.against for each in choice.evidence] == list(BASELINES)
    assert all(each.passed and each.p_value_corrected < LEVEL for each in choice.evidence)
    assert choice.reason.startswith("lightgbm becomes champion: over 600 sessions")


def test_noise_becomes_champion_no_more_often_than_the_level_allows() -> None:
    champions = sum(choose(record(seed)).role is ModelRole.CHAMPION for seed in range(SIMULATIONS))
    assert champions <= LEVEL * SIMULATIONS


def test_noise_that_is_smaller_than_the_baselines_becomes_no_champion_either() -> None:
    """Nearest to the border: all baselines but zero lose by noise, candidates nearly say zero."""
    champions = 0
    for seed in range(SIMULATIONS):
        validation = record(seed)
        small = {name: 0.1 * validation.means[name] for name in CANDIDATES}
        choice = choose(replace(validation, means={**validation.means, **small}))
        champions += choice.role is ModelRole.CHAMPION
    assert champions <= LEVEL * SIMULATIONS


def test_where_nothing_is_proved_the_baseline_of_the_lowest_error_serves() -> None:
    validation = record(ema=0.8)
    choice = choose(validation)
    assert (choice.model_name, choice.role) == ("ema", ModelRole.BASELINE)
    assert "does not beat" in choice.reason and "ema (p = 1.000)" in choice.reason


def test_of_equal_baselines_the_simplest_serves() -> None:
    validation = record()
    zero = dict.fromkeys(validation.means, validation.means["naive"])
    choice = choose(replace(validation, means=zero))
    assert (choice.model_name, choice.role) == ("naive", ModelRole.BASELINE)
    assert all(each.statistic is None and not each.passed for each in choice.evidence)


def test_a_challenger_that_beats_the_champion_in_service_takes_its_place() -> None:
    validation = record(ridge=0.5, lstm=1.0)
    choice = choose(validation, in_service(validation, "ridge"))
    assert (choice.model_name, choice.role) == ("lstm", ModelRole.CHAMPION)
    assert choice.evidence[-1].against == "ridge version 3" and choice.evidence[-1].passed


def test_a_champion_is_kept_by_its_renewal_where_the_challenger_is_not_better() -> None:
    validation = record(ridge=0.9, lstm=0.92)
    choice = choose(validation, in_service(validation, "ridge"))
    assert (choice.model_name, choice.role, choice.kept) == ("ridge", ModelRole.CHAMPION, False)
    assert "the champion in service stays, ridge" in choice.reason


def test_a_champion_of_another_method_stays_itself_where_the_challenger_is_not_better() -> None:
    validation = record(ridge=0.9, lstm=0.92)
    choice = choose(validation, in_service(validation, "ridge", same_method=False))
    assert (choice.model_name, choice.role, choice.kept) == ("ridge", ModelRole.CHAMPION, True)
    assert {each.model_name for each in choice.evidence} == {"lstm", "ridge version 3"}


def test_the_champion_s_new_version_need_not_beat_the_old_one() -> None:
    validation = record(ridge=1.0)
    choice = choose(validation, in_service(validation, "ridge"))
    assert (choice.model_name, choice.role) == ("ridge", ModelRole.CHAMPION)
    assert choice.reason.startswith("ridge is renewed as champion")
    assert [each.against for each in choice.evidence] == list(BASELINES)


def test_a_champion_that_no_longer_beats_the_baselines_gives_way_to_the_best_of_them() -> None:
    validation = record(sma=0.5)
    choice = choose(validation, in_service(validation, "ridge", same_method=False))
    assert (choice.model_name, choice.role) == ("sma", ModelRole.BASELINE)
    assert "the champion in service, ridge version 3, does not beat" in choice.reason


def test_a_champion_with_too_little_in_common_is_left_out_of_account() -> None:
    validation = record(lstm=1.0)
    choice = choose(validation, in_service(validation, "ridge", same_method=False, share=0.1))
    assert (choice.model_name, choice.role) == ("lstm", ModelRole.CHAMPION)
    assert len(choice.evidence) == len(BASELINES)


def test_only_what_all_models_have_forecast_is_compared() -> None:
    validation = record(lstm=1.0)
    partly = validation.means["lstm"].copy()
    partly[:100] = np.nan
    choice = choose(replace(validation, means={**validation.means, "lstm": partly}))
    assert {each.sessions for each in choice.evidence} == {SESSIONS - 100}


def test_models_that_have_nothing_in_common_cannot_be_compared() -> None:
    validation = record()
    nowhere = np.full((SESSIONS, SYMBOLS), np.nan)
    with pytest.raises(TrainingError, match="no symbol has enough history"):
        choose(replace(validation, means={**validation.means, "lstm": nowhere}))


def test_the_order_in_which_models_are_given_does_not_matter() -> None:
    validation = record(lstm=0.5, average=0.5)
    backwards = dict(reversed(validation.means.items()))
    assert choose(replace(validation, means=backwards)) == choose(validation)
