"""Charts that are not what was asked for."""

import datetime as dt
from typing import Any

from pipelines.sessions import calendar

from .. import spoilers
from ..world import NEXT, SESSION, World
from .refusals import ROWS
from .scenario import scenario

Result = dict[str, Any]
DAY = dt.date(2024, 2, 7)


def lines(result: Result) -> list[list[Any]]:
    """Return the columns of a chart, its timestamps first."""
    quote = result["indicators"]["quote"][0]
    return [result["timestamp"], *quote.values(), result["indicators"]["adjclose"][0]["adjclose"]]


def place_of(result: Result, day: dt.date) -> int:
    opened = int(calendar().session_open(str(day)).timestamp())
    place: int = result["timestamp"].index(opened)
    return place


@scenario("no bars", "a chart of a known symbol without a bar, after it had some")
def no_bars(world: World) -> None:
    world.poll()
    world.yahoo.spoil("BOLT", iter([spoilers.no_bars]))
    poll = world.poll(NEXT)
    assert poll.new_rows == 2
    assert poll.problems == (f"BOLT: Yahoo has no bar from 2024-01-02 to {NEXT}",)
    assert len(world.stored()) == ROWS


@scenario("another symbol", "the chart of another symbol than the one asked for")
def another_symbol(world: World) -> None:
    def swap(result: Result) -> None:
        result["meta"]["symbol"] = "BOLT2"

    world.yahoo.spoil("BOLT", iter([spoilers.changed(swap)] * 4))
    poll = world.poll()
    assert poll.new_rows == 2 * ROWS
    assert "about symbol 'BOLT2' instead of 'BOLT'" in poll.problems[0]


@scenario("monthly bars", "bars of months where bars of days were asked for")
def monthly_bars(world: World) -> None:
    def coarsen(result: Result) -> None:
        result["meta"]["dataGranularity"] = "1mo"

    world.yahoo.spoil("BOLT", iter([spoilers.changed(coarsen)] * 4))
    assert world.poll().new_rows == 2 * ROWS


@scenario("columns of different length", "one price is missing in the middle of a column")
def ragged(world: World) -> None:
    def shorten(result: Result) -> None:
        del result["indicators"]["quote"][0]["low"][7]

    world.yahoo.spoil("BOLT", iter([spoilers.changed(shorten)] * 4))
    assert world.poll().new_rows == 2 * ROWS


@scenario("unfinished bar", "the session goes on: its bar stays out until it is complete")
def unfinished(world: World) -> None:
    noon = dt.datetime.combine(NEXT, dt.time(17, 0), dt.UTC)
    poll = world.poll(NEXT, noon)
    assert max(world.stored()) == SESSION
    assert poll.problems == ()
    just_closed = dt.datetime.combine(NEXT, dt.time(21, 30), dt.UTC)
    assert world.poll(NEXT, just_closed).new_rows == 0
    assert world.poll(NEXT).new_rows == 3
    assert max(world.stored()) == NEXT


@scenario("NaN rows", "a line without a price: no row, and none is lost that was there")
def empty_lines(world: World) -> None:
    def blank(result: Result) -> None:
        place = place_of(result, DAY)
        for column in lines(result)[1:]:
            column[place] = None

    world.yahoo.spoil("BOLT", iter([spoilers.changed(blank)] * 2))
    assert world.poll().new_rows == 3 * ROWS - 1
    assert DAY not in world.stored()
    world.yahoo.spoil("IRON", iter([spoilers.changed(blank)]))
    world.poll()
    assert DAY in world.stored("IRON")
    assert world.poll().new_rows == 1  # the hole is filled


@scenario("newest bar missing", "yesterday is the newest bar of one symbol")
def newest_is_missing(world: World) -> None:
    def drop_last(result: Result) -> None:
        for column in lines(result):
            del column[-1]

    world.yahoo.spoil("BOLT", iter([spoilers.changed(drop_last)]))
    poll = world.poll()
    assert poll.new_rows == 3 * ROWS - 1
    assert "BOLT: Yahoo's newest complete bar is of 2024-02-29, not of 2024-03-01" in poll.problems
    assert world.poll().new_rows == 1


@scenario("duplicate timestamps", "a day twice, alike: one row")
def alike_twice(world: World) -> None:
    def repeat_line(result: Result) -> None:
        place = place_of(result, DAY)
        for column in lines(result):
            column.insert(place, column[place])

    world.yahoo.spoil("BOLT", iter([spoilers.changed(repeat_line)]))
    poll = world.poll()
    assert (poll.new_rows, poll.problems) == (3 * ROWS, ())
    world.hold_returns()


@scenario("duplicate timestamps, other prices", "a day twice, in two ways: both kept for quality")
def two_stories(world: World) -> None:
    def contradict(result: Result) -> None:
        place = place_of(result, DAY)
        for column in lines(result):
            column.insert(place, column[place])
        result["indicators"]["quote"][0]["close"][place] *= 1.01

    world.disputed.add(("BOLT", DAY))
    world.yahoo.spoil("BOLT", iter([spoilers.changed(contradict)]))
    poll = world.poll()
    assert poll.new_rows == 3 * ROWS + 1
    assert poll.problems == (f"BOLT: Yahoo has different bars for {DAY}",)
    world.disputed.clear()
    assert world.poll().restated_rows == 1
    assert len(world.stored_rows()) == ROWS


@scenario("last trade as a line", "after the close the newest day comes twice: the later counts")
def last_trade(world: World) -> None:
    def add_trade(result: Result) -> None:
        for column in lines(result):
            column.append(column[-1])
        result["timestamp"][-1] += 6 * 3600 + 30 * 60
        result["indicators"]["quote"][0]["volume"][-2] -= 1000

    world.yahoo.spoil("BOLT", iter([spoilers.changed(add_trade)]))
    poll = world.poll()
    assert (poll.new_rows, poll.problems) == (3 * ROWS, ())
    world.hold_returns()


@scenario("GBp", "quoted in pence: stored in pounds; a dividend too")
def pence(world: World) -> None:
    world.listing().currency = "GBp"
    world.listing().dividends[DAY] = 0.23
    world.currencies["BOLT"] = "GBP"
    world.provider = world.new_provider()
    poll = world.poll()
    assert (poll.new_rows, poll.problems) == (3 * ROWS, ())
    assert world.stored_actions() == {(DAY, "dividend"): 0.23}
    world.hold_returns()


@scenario("another currency", "pence where the universe expects dollars: nothing is stored")
def unexpected_currency(world: World) -> None:
    world.listing().currency = "GBp"
    poll = world.poll()
    assert poll.new_rows == 2 * ROWS
    assert poll.problems == ("BOLT: Yahoo quotes it in GBP, the universe says USD",)


@scenario("100x", "one day in pence among pounds: stored as it came, quality has to reject it")
def hundredfold(world: World) -> None:
    def confuse(result: Result) -> None:
        place = place_of(result, DAY)
        for name in ("open", "high", "low", "close"):
            result["indicators"]["quote"][0][name][place] /= 100

    world.disputed.add(("BOLT", DAY))
    world.yahoo.spoil("BOLT", iter([spoilers.changed(confuse)]))
    world.poll()
    truth = world.listing().bars[DAY].close
    assert abs(world.stored()[DAY] / truth - 0.01) < 1e-6
    world.disputed.clear()
    assert world.poll().restated_rows == 1
