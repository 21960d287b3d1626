"""What was told before is told differently, or more is told."""

import datetime as dt
from itertools import repeat

from models.lake import PRICES
from pipelines.lake import read_as_of
from pipelines.sessions import available_at

from .. import spoilers
from ..world import NEXT, SESSION, World
from .answers import DAY, Result, lines, place_of
from .refusals import ROWS
from .scenario import scenario


@scenario("revised close", "an old close is another one at the next poll: a second version")
def revised_close(world: World) -> None:
    world.poll()
    before = world.stored()[DAY]
    world.listing().bars[DAY].close = round(before + 0.02, 2)
    poll = world.poll(NEXT)
    assert (poll.new_rows, poll.restated_rows) == (3, 1)
    assert world.stored()[DAY] == world.listing().bars[DAY].close
    # Yesterday's run still reads yesterday's number.
    then = read_as_of(world.settings, PRICES, SESSION, available_at(SESSION), symbols=["BOLT"])
    closes = {row["session_date"]: row["close"] for row in then.to_pylist()}
    assert closes[DAY] == before


@scenario("dividend", "a dividend between two polls changes adjusted closes: nothing is restated")
def new_dividend(world: World) -> None:
    world.poll()
    world.listing().dividends[NEXT] = 0.4125
    poll = world.poll(NEXT)
    assert (poll.new_rows, poll.restated_rows, poll.actions) == (3, 0, 1)
    assert world.stored_actions() == {(NEXT, "dividend"): 0.4125}


@scenario("corrected dividend", "the amount of a dividend changes: a second version of the action")
def corrected_dividend(world: World) -> None:
    world.listing().dividends[DAY] = 0.41
    world.poll()
    world.listing().dividends[DAY] = 0.43
    poll = world.poll(NEXT)
    assert (poll.restated_rows, poll.actions) == (0, 1)
    assert world.stored_actions() == {(DAY, "dividend"): 0.43}


@scenario("capital gain", "a fund pays a dividend and a capital gain on one day")
def capital_gain(world: World) -> None:
    world.listing().dividends[DAY] = 0.21
    world.listing().capital_gains[DAY] = 1.07
    world.poll()
    assert world.stored_actions() == {(DAY, "dividend"): 0.21, (DAY, "capital_gain"): 1.07}
    world.hold_returns()


@scenario("capital gain told twice", "a dividend that contains the gain: taken out, each paid once")
def capital_gain_told_twice(world: World) -> None:
    def add_gain(result: Result) -> None:
        for one in result["events"]["dividends"].values():
            one["amount"] += 5.07

    world.listing().dividends[DAY] = 0.21
    world.listing().capital_gains[DAY] = 5.07
    for bar in (bar for day, bar in world.listing().bars.items() if day >= DAY):
        for name in ("open", "high", "low", "close"):
            setattr(bar, name, round(getattr(bar, name) - 5.28, 2))
    world.yahoo.spoil("BOLT", iter([spoilers.changed(add_gain)]))
    poll = world.poll()
    assert poll.problems == (
        f"BOLT: Yahoo's dividend of {DAY} contains the capital gain that it tells besides",
    )
    assert world.stored_actions() == {(DAY, "dividend"): 0.21, (DAY, "capital_gain"): 5.07}
    assert (
        next(row for row in world.stored_rows() if row["session_date"] == DAY)["adjusted_return_1d"]
        is None
    )


@scenario("large dividend", "a dividend above the gain of its day, each by itself: taken as told")
def large_dividend(world: World) -> None:
    world.listing().dividends[DAY] = 5.28
    world.listing().capital_gains[DAY] = 3.07
    for bar in (bar for day, bar in world.listing().bars.items() if day >= DAY):
        for name in ("open", "high", "low", "close"):
            setattr(bar, name, round(getattr(bar, name) - 8.35, 2))
    assert world.poll().problems == ()
    assert world.stored_actions() == {(DAY, "dividend"): 5.28, (DAY, "capital_gain"): 3.07}
    world.hold_returns()


@scenario(
    "dividend in pence", "a dividend that names its currency: the whole one, or the prices' own"
)
def dividend_in_pence(world: World) -> None:
    def name_currencies(result: Result) -> None:
        pounds, pence = sorted(result["events"]["dividends"].values(), key=lambda one: one["date"])
        pounds |= {"amount": pounds["amount"] / 100, "currency": "GBP"}
        pence |= {"currency": "GBp"}

    world.listing().currency = "GBp"
    world.listing().dividends |= {DAY: 0.23, SESSION: 0.31}
    world.currencies["BOLT"] = "GBP"
    world.provider = world.new_provider()
    world.yahoo.spoil("BOLT", iter([spoilers.changed(name_currencies)]))
    assert world.poll().problems == ()
    assert world.stored_actions() == {(DAY, "dividend"): 0.23, (SESSION, "dividend"): 0.31}


@scenario(
    "dividend in another currency", "euros on a dollar share: the symbol is left out, not wrong"
)
def dividend_in_euros(world: World) -> None:
    def name_currency(result: Result) -> None:
        for one in result["events"]["dividends"].values():
            one["currency"] = "EUR"

    world.listing().dividends[DAY] = 0.23
    world.yahoo.spoil("BOLT", repeat(spoilers.changed(name_currency)))
    poll = world.poll()
    assert poll.new_rows == 2 * ROWS
    assert "it has dividends in EUR, and prices in USD" in poll.problems[0]


@scenario("event without a bar", "a dividend and a split on days that have no bar keep their dates")
def event_without_bar(world: World) -> None:
    def drop_day(result: Result) -> None:
        place = place_of(result, DAY)
        for column in lines(result):
            del column[place]

    world.listing().dividends[DAY] = 0.5
    world.listing().split(DAY, 2, 1)
    world.yahoo.spoil("BOLT", iter([spoilers.changed(drop_day)]))
    poll = world.poll()
    assert poll.new_rows == 3 * ROWS - 1
    assert world.stored_actions() == {(DAY, "dividend"): 0.5, (DAY, "split"): 2.0}


@scenario("late history", "a listing turns out to have older bars: they are known from today on")
def older_bars(world: World) -> None:
    older = {day: bar for day, bar in world.listing().bars.items() if day < DAY}
    for day in older:
        del world.listing().bars[day]
    world.poll()
    world.listing().bars.update(older)
    poll = world.poll(NEXT)
    assert (poll.new_rows, poll.restated_rows) == (3 + len(older), 0)
    then = read_as_of(world.settings, PRICES, SESSION, available_at(SESSION), symbols=["BOLT"])
    assert min(then["session_date"].to_pylist()) == DAY


@scenario("low digits", "prices in single precision, off in their last digit from poll to poll")
def low_digits(world: World) -> None:
    def shake(result: Result) -> None:
        quote = result["indicators"]["quote"][0]
        for name in ("open", "high", "low", "close"):
            quote[name] = [value * (1 + 6e-8) for value in quote[name]]

    world.poll()
    world.yahoo.spoil("BOLT", iter([spoilers.changed(shake)]))
    assert world.poll().restated_rows == 0


@scenario("earlier session", "a rerun for an older session is told of splits that came after it")
def earlier_session(world: World) -> None:
    world.listing().split(NEXT, 4, 1)
    evening = available_at(NEXT) + dt.timedelta(hours=1)
    poll = world.poll(SESSION, evening)
    assert (poll.new_rows, poll.actions) == (3 * ROWS, 0)
    assert max(world.stored()) == SESSION
