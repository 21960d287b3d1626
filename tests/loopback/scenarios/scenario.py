"""A scenario: what Yahoo does, and what has to come of it."""

from collections.abc import Callable
from dataclasses import dataclass

from ..world import World

Act = Callable[[World], None]


@dataclass(frozen=True)
class Scenario:
    """``act`` spoils the world, polls it and asserts; the world itself checks every poll."""

    name: str
    story: str
    act: Act


SCENARIOS: list[Scenario] = []


def scenario(name: str, story: str) -> Callable[[Act], Act]:
    """List a function as a scenario."""

    def enlist(act: Act) -> Act:
        SCENARIOS.append(Scenario(name, story, act))
        return act

    return enlist
