"""Splits that Yahoo works into its prices, late or not at all."""

import datetime as dt

from ..world import NEXT, SESSION, World
from .answers import DAY
from .refusals import ROWS
from .scenario import scenario


@scenario("split", "a split between two polls rewrites Yahoo's history: nothing is restated")
def new_split(world: World) -> None:
    world.listing().dividends[DAY] = 0.37
    world.poll()
    world.listing().split(NEXT, 3, 1)
    poll = world.poll(NEXT)
    assert (poll.new_rows, poll.restated_rows, poll.actions) == (3, 0, 1)
    assert world.stored_actions() == {(DAY, "dividend"): 0.37, (NEXT, "split"): 3.0}


@scenario("many splits", "1281 for 1000, twenty for one, two for one, one after the other")
def many_splits(world: World) -> None:
    world.listing().split(dt.date(2024, 1, 10), 1281, 1000)
    world.listing().split(dt.date(2024, 1, 18), 20, 1)
    world.listing().split(dt.date(2024, 2, 20), 2, 1)
    world.listing().dividends = {dt.date(2024, 1, 4): 0.35, DAY: 0.02}
    poll = world.poll()
    assert (poll.new_rows, poll.actions, poll.problems) == (3 * ROWS, 5, ())
    world.hold_returns()


@scenario("reverse split", "one for eight between two polls; volumes come back to the share")
def reverse_split(world: World) -> None:
    for bar in world.listing().bars.values():
        bar.volume = 8 * round(bar.volume / 8)
    world.poll()
    world.listing().split(NEXT, 1, 8)
    assert world.poll(NEXT).restated_rows == 0


@scenario("split not applied", "Yahoo names a split that its prices do not contain yet")
def split_not_applied(world: World) -> None:
    world.listing().split(DAY, 4, 1)
    world.listing().unapplied.add(DAY)
    poll = world.poll()
    assert poll.new_rows == 3 * ROWS
    assert poll.problems == (f"BOLT: Yahoo names a split on {DAY} that its prices do not contain",)
    world.listing().unapplied.clear()
    later = world.poll(NEXT)
    assert (later.new_rows, later.restated_rows, later.problems) == (3, 0, ())


@scenario("split of today", "before today's opening nothing shows whether a split is applied")
def split_of_today(world: World) -> None:
    world.poll()
    after_opening = dt.datetime.combine(NEXT, dt.time(14, 31), dt.UTC)
    world.listing().split(NEXT, 2, 1)
    del world.listing().bars[NEXT]
    poll = world.poll(SESSION, after_opening)
    assert poll.problems == (
        f"BOLT: nothing traded since the split of {NEXT} shows whether it is applied",
    )
    assert len(world.stored()) == ROWS
