"""Yahoo does not answer, or not with a chart."""

import datetime as dt
from dataclasses import replace
from itertools import cycle, repeat

from .. import spoilers
from ..internet import Reply
from ..world import NEXT, SYMBOLS, World
from ..yahoo import Spoiler
from .scenario import scenario

ROWS = 42
"""Sessions from the first to the last one asked for."""


@scenario("ok", "three symbols, all there")
def everything_is_fine(world: World) -> None:
    world.listing("IRON").dividends[dt.date(2024, 1, 22)] = 0.37
    poll = world.poll()
    assert (poll.asked, poll.new_rows, poll.actions, poll.problems) == (3, 3 * ROWS, 1, ())
    again = world.poll()
    assert (again.new_rows, again.restated_rows, again.actions) == (0, 0, 0)


@scenario("429 once", "one refusal, which yfinance's own second request gets over")
def one_refusal(world: World) -> None:
    world.yahoo.spoil("BOLT", iter([spoilers.too_many_requests]))
    poll = world.poll()
    assert (poll.asked, poll.new_rows, poll.problems) == (4, 3 * ROWS, ())


@scenario("429 for a while", "refusals until the third round, then all is answered")
def refusals_for_a_while(world: World) -> None:
    world.yahoo.spoil("WOOL", iter([spoilers.too_many_requests] * 4))
    poll = world.poll()
    assert (poll.statuses["429"], poll.new_rows, poll.problems) == (4, 3 * ROWS, ())


@scenario("429 for ever", "every answer is a refusal; the breaker opens, later it tries again")
def nothing_but_refusals(world: World) -> None:
    world.poll()
    for symbol in SYMBOLS:
        world.yahoo.spoil(symbol, repeat(spoilers.too_many_requests))
    poll = world.poll(NEXT)
    assert "left alone" in poll.refused
    rounds = world.policy.strikes
    assert poll.asked <= 2 * rounds * len(SYMBOLS)
    assert world.poll(NEXT).asked == 0
    cooled = world.yahoo.now + dt.timedelta(seconds=world.policy.cool_down_s)
    assert world.poll(NEXT, cooled).asked == 2  # one probe, repeated by yfinance
    for symbol in SYMBOLS:
        world.yahoo.spoil(symbol, iter(()))
    recovered = world.poll(NEXT, cooled + dt.timedelta(seconds=world.policy.cool_down_s))
    assert (recovered.asked, recovered.new_rows, recovered.refused) == (3, 3, "")


@scenario("429 for the rest", "one symbol is answered, then refusals: it is kept, the rest waits")
def one_and_no_more(world: World) -> None:
    for symbol in SYMBOLS[1:]:
        world.yahoo.spoil(symbol, repeat(spoilers.too_many_requests))
    poll = world.poll()
    assert (poll.new_rows, poll.refused) == (ROWS, "")
    assert [problem.partition(":")[0] for problem in poll.problems] == list(SYMBOLS[1:])


@scenario("unknown symbol", "404 and Yahoo's guess at a delisting, for one of four")
def unknown_symbol(world: World) -> None:
    poll = world.poll(also=("NOSUCH",))
    assert poll.new_rows == 3 * ROWS
    assert poll.problems == ("NOSUCH: Yahoo says: No data found, symbol may be delisted",)


@scenario("500 once", "a server error for one symbol, in both of yfinance's requests")
def one_server_error(world: World) -> None:
    world.yahoo.spoil("IRON", iter([spoilers.server_error] * 2))
    poll = world.poll()
    assert (poll.statuses["500"], poll.new_rows, poll.problems) == (2, 3 * ROWS, ())


@scenario("500 for ever", "one symbol fails in every round; the next poll brings it")
def partial_batch(world: World) -> None:
    world.yahoo.spoil("IRON", repeat(spoilers.server_error))
    poll = world.poll()
    assert poll.new_rows == 2 * ROWS
    assert poll.problems == ("IRON: Yahoo answered 500",)
    assert poll.asked == 2 + 2 * world.policy.attempts  # the others are asked once
    world.yahoo.spoil("IRON", iter(()))
    assert world.poll().new_rows == ROWS


def recovers_from(world: World, spoiler: Spoiler) -> None:
    """One bad answer costs one more request; bad answers for ever cost one symbol."""
    world.yahoo.spoil("WOOL", iter([spoiler]))
    poll = world.poll()
    assert (poll.new_rows, poll.problems) == (3 * ROWS, ())
    assert poll.asked > len(SYMBOLS)
    world.yahoo.spoil("WOOL", repeat(spoiler))
    later = world.poll(NEXT)
    assert later.new_rows == 2
    assert len(later.problems) == 1
    assert later.problems[0].startswith("WOOL: ")


@scenario("empty page", "200 with nothing in it")
def empty_page(world: World) -> None:
    recovers_from(world, spoilers.empty_page)


@scenario("malformed JSON", "an answer that ends in the middle of its JSON")
def malformed(world: World) -> None:
    recovers_from(world, spoilers.half_of_it)


@scenario("slow", "an answer that comes after the time limit")
def slow(world: World) -> None:
    world.policy = replace(world.policy, timeout_s=0.5, attempts=2)
    world.provider = world.new_provider()
    recovers_from(world, spoilers.late(1.0))


@scenario("cut off", "a connection that dies in the middle of the body")
def cut_off(world: World) -> None:
    recovers_from(world, spoilers.cut_off)


@scenario("all at once", "each symbol fails in another way before it is answered")
def mixed_failures(world: World) -> None:
    ways = (spoilers.too_many_requests, spoilers.server_error, spoilers.cut_off)
    for symbol, way in zip(SYMBOLS, cycle(ways), strict=False):
        world.yahoo.spoil(symbol, iter([way] * 2))
    poll = world.poll()
    assert (poll.new_rows, poll.problems) == (3 * ROWS, ())


@scenario("crumb failure", "no cookie and no crumb, consent page or not; charts need none")
def no_crumb(world: World) -> None:
    world.yahoo.gives_cookie = False
    world.yahoo.crumb = Reply(401, b"<html>Unauthorized</html>", "text/html")
    assert world.poll().new_rows == 3 * ROWS
    hosts = {request.host for request, _ in world.internet.exchanged}
    assert {"guce.yahoo.com", "consent.yahoo.com", "fc.yahoo.com"} <= hosts


@scenario("strange cookie", "a cookie on which yfinance itself stumbles: an error that tells it")
def strange_cookie(world: World) -> None:
    world.yahoo.cookie = "B9=made-up; Domain=.yahoo.com; Path=/; Max-Age=86400; Secure"
    assert "KeyError: 'A3'" in world.poll().refused


@scenario("crumb refused", "429 for the crumb alone")
def crumb_refused(world: World) -> None:
    world.yahoo.crumb = Reply(429, b"Too Many Requests", "text/html")
    assert world.poll().new_rows == 3 * ROWS
