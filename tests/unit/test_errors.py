"""Errors speak: thing, value, problem, remedy."""

import pickle

import pytest

from pipelines import errors
from pipelines.errors import SmartInvestError

_KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SmartInvestError)
]


@pytest.mark.parametrize("kind", _KINDS)
def test_a_message_names_thing_value_problem_and_remedy(kind: type[SmartInvestError]) -> None:
    error = kind("setting X", "blue", "it is a colour", "Use a number.")
    assert str(error) == "setting X = 'blue': it is a colour. Use a number."


@pytest.mark.parametrize("kind", _KINDS)
def test_an_error_survives_the_way_between_processes(kind: type[SmartInvestError]) -> None:
    error = pickle.loads(pickle.dumps(kind("setting X", 3, "too small", "Use 4.")))
    assert (type(error), str(error)) == (kind, "setting X = '3': too small. Use 4.")


@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_of_error_says_when_it_is_raised(kind: type[SmartInvestError]) -> None:
    assert kind.__doc__
