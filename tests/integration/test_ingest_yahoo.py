"""The yahoo source on loopback: no scenario loses an accepted row or stores a wrong one."""

from pathlib import Path

import pytest
from loopback.scenarios import SCENARIOS, Scenario
from loopback.world import world


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_yahoo_does_neither_loses_a_row_nor_stores_a_wrong_one(
    scenario: Scenario, tmp_path: Path
) -> None:
    with world(tmp_path) as made_up:
        scenario.act(made_up)
    assert made_up.polls
