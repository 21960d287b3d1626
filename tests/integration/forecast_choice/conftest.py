"""Homes in which one or two trainings have served: made once, and each test has a copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from choice_examples import EARLIER, copied, given, prepared, trainings_at_once
from ml_examples import LAST_SESSION

from pipelines.forecast import ModelChoice, train
from pipelines.settings import Settings


@pytest.fixture(autouse=True)
def trainings_take_no_time() -> Iterator[None]:
    """None was given anything yet."""
    given.clear()
    with trainings_at_once():
        yield


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return prepared(tmp_path_factory.mktemp("untrained") / "home")


@pytest.fixture
def settings(untrained: Settings, tmp_path: Path) -> Settings:
    return copied(untrained, tmp_path)


@pytest.fixture(scope="session")
def trained_early(
    untrained: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, ModelChoice]:
    settings = copied(untrained, tmp_path_factory.mktemp("early"))
    with trainings_at_once():
        return settings, train(settings, EARLIER)


@pytest.fixture(scope="session")
def trained_last(
    untrained: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, ModelChoice]:
    settings = copied(untrained, tmp_path_factory.mktemp("last"))
    with trainings_at_once():
        return settings, train(settings, LAST_SESSION)


@pytest.fixture(scope="session")
def served_twice(
    trained_early: tuple[Settings, ModelChoice], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, ModelChoice, ModelChoice]:
    made, first = trained_early
    settings = copied(made, tmp_path_factory.mktemp("twice"))
    with trainings_at_once():
        second = train(settings, LAST_SESSION)
    assert given[-1][0] is None, "a baseline defends nothing"
    return settings, first, second


@pytest.fixture
def early(
    trained_early: tuple[Settings, ModelChoice], tmp_path: Path
) -> tuple[Settings, ModelChoice]:
    """A home of its own in which a training serves from ``EARLIER`` on."""
    made, choice = trained_early
    return copied(made, tmp_path), choice


@pytest.fixture
def last(
    trained_last: tuple[Settings, ModelChoice], tmp_path: Path
) -> tuple[Settings, ModelChoice]:
    """A home of its own in which a training serves ``LAST_SESSION``."""
    made, choice = trained_last
    return copied(made, tmp_path), choice


@pytest.fixture
def twice(
    served_twice: tuple[Settings, ModelChoice, ModelChoice], tmp_path: Path
) -> tuple[Settings, ModelChoice, ModelChoice]:
    """A home of its own in which one training served, and then another."""
    made, first, second = served_twice
    return copied(made, tmp_path), first, second
