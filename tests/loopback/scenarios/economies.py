"""What FRED may do: series by series, with a key and without."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import repeat

from ..economy import ARCHIVE_START, FIRST, TODAY, Economy
from ..fred import KEY
from ..internet import Reply

DAILY_ROWS, MONTHLY_ROWS, SERIES = 129, 5, 9
ALL_ROWS = 3 * DAILY_ROWS + 6 * MONTHLY_ROWS
MARCH = dt.date(2024, 3, 1)


@dataclass(frozen=True)
class FredScenario:
    name: str
    story: str
    act: Callable[[Economy], None]
    key: str | None = None


FRED_SCENARIOS: list[FredScenario] = []


def scenario(
    name: str, story: str, key: str | None = None
) -> Callable[[Callable[[Economy], None]], Callable[[Economy], None]]:
    def enlist(act: Callable[[Economy], None]) -> Callable[[Economy], None]:
        FRED_SCENARIOS.append(FredScenario(name, story, act, key))
        return act

    return enlist


@scenario("FRED ok", "nine CSV files")
def all_files(economy: Economy) -> None:
    poll = economy.poll()
    assert (poll.asked, poll.new_rows, poll.problems) == (SERIES, ALL_ROWS, ())
    assert economy.poll().new_rows == 0


@scenario("FRED missing value", "an empty cell: no row, and a row once it is filled")
def empty_cell(economy: Economy) -> None:
    published = economy.fred.series["UNRATE"][MARCH]
    economy.fred.series["UNRATE"][MARCH] = [(published[0][0], ".")]
    assert economy.poll().new_rows == ALL_ROWS - 1
    economy.fred.series["UNRATE"][MARCH] = published
    assert economy.poll().new_rows == 1
    assert economy.versions("UNRATE", MARCH)[0][2] == "observed"


@scenario("FRED revised", "a value is revised between two polls: a second version, seen today")
def revised(economy: Economy) -> None:
    economy.poll()
    economy.fred.series["CPIAUCSL"][MARCH].append((TODAY, "300.9"))
    poll = economy.poll()
    assert (poll.new_rows, poll.restated_rows) == (0, 1)
    (_, first, assumed), (_, second, seen) = economy.versions("CPIAUCSL", MARCH)
    assert (first, assumed, second, seen) == (300.3, "assumed", 300.9, "observed")


def recovers_from(economy: Economy, spoiler: Callable[[Reply], Reply]) -> None:
    """One bad answer costs one more request, bad answers for ever cost one series."""
    economy.fred.spoil("UNRATE", iter([spoiler]))
    poll = economy.poll()
    assert (poll.asked, poll.new_rows, poll.problems) == (SERIES + 1, ALL_ROWS, ())
    economy.fred.spoil("UNRATE", repeat(spoiler))
    economy.fred.series["UNRATE"][dt.date(2024, 6, 1)] = [(TODAY, "4.4")]
    later = economy.poll()
    assert len(later.problems) == 1
    assert later.problems[0].startswith("UNRATE: ")


@scenario("FRED 429", "too many requests, once and for ever")
def refused(economy: Economy) -> None:
    recovers_from(economy, lambda reply: Reply(429, b"Too Many Requests", "text/html"))


@scenario("FRED 500", "a server error, once and for ever")
def server_error(economy: Economy) -> None:
    recovers_from(economy, lambda reply: Reply(500, b"<html>sorry</html>", "text/html"))


@scenario("FRED cut off", "a connection that dies in the middle of the file")
def cut_off(economy: Economy) -> None:
    recovers_from(economy, lambda reply: replace(reply, cut_at=len(reply.body) // 2))


@scenario("FRED slow", "an answer that comes after the time limit")
def slow(economy: Economy) -> None:
    economy.policy = replace(economy.policy, timeout_s=0.5, attempts=2)
    recovers_from(economy, lambda reply: replace(reply, delay_s=1.0))


@scenario("FRED drip", "an answer that comes byte by byte, and would do so for minutes")
def dripping(economy: Economy) -> None:
    economy.policy = replace(economy.policy, timeout_s=0.5, attempts=2)
    economy.fred.spoil("UNRATE", repeat(lambda reply: replace(reply, drip_s=0.1)))
    poll = economy.poll()
    assert poll.problems == ("UNRATE: FRED cannot be reached (ReadTimeout)",)
    assert poll.new_rows == ALL_ROWS - MONTHLY_ROWS


@scenario("FRED down", "no series is answered: after a few the others are not asked for")
def down(economy: Economy) -> None:
    economy.policy = replace(economy.policy, attempts=2)
    economy.poll()
    for one in economy.fred.series:
        economy.fred.spoil(one, repeat(lambda reply: Reply(503, b"", "text/html")))
    poll = economy.poll()
    assert (poll.asked, poll.new_rows) == (2 * economy.policy.strikes, 0)
    assert len(poll.problems) == SERIES


@scenario("FRED 404", "a series that is gone: asked once, the others are read")
def gone(economy: Economy) -> None:
    del economy.fred.series["RSAFS"]
    poll = economy.poll()
    assert (poll.asked, poll.new_rows) == (SERIES, ALL_ROWS - MONTHLY_ROWS)
    assert poll.problems == ("RSAFS: FRED answered 404",)


@scenario("FRED malformed", "a page instead of a file")
def malformed(economy: Economy) -> None:
    page = Reply(200, b"<html>maintenance</html>", "text/html")
    economy.fred.spoil("UNRATE", repeat(lambda reply: page))
    poll = economy.poll()
    assert poll.new_rows == ALL_ROWS - MONTHLY_ROWS
    assert poll.problems[0].startswith("UNRATE: FRED's file cannot be read")


@scenario("FRED vintages", "with a key: each value with the evening of its publication", KEY)
def vintages(economy: Economy) -> None:
    economy.fred.series["CPIAUCSL"][MARCH].append((dt.date(2024, 5, 15), "300.9"))
    poll = economy.poll()
    assert (poll.new_rows, poll.problems) == (ALL_ROWS + 1, ())
    evening = dt.datetime(2024, 4, 10, 22, tzinfo=dt.UTC)  # 18:00 in New York
    later = dt.datetime(2024, 5, 15, 22, tzinfo=dt.UTC)
    assert economy.versions("CPIAUCSL", MARCH) == [
        (evening, 300.3, "vintage"),
        (later, 300.9, "vintage"),
    ]
    assert economy.poll().new_rows == 0


@scenario("FRED archive", "with a key: values older than the archive count by their lag", KEY)
def before_the_archive(economy: Economy) -> None:
    economy.poll()
    ((known, _, basis),) = economy.versions("DGS10", FIRST)
    assert basis == "assumed"
    assert known.date() < ARCHIVE_START
    ((_, _, later),) = economy.versions("DGS10", dt.date(2024, 3, 4))
    assert later == "vintage"


@scenario("FRED wrong key", "a key that FRED does not know: nothing stored, nothing told", "wrong")
def wrong_key(economy: Economy) -> None:
    poll = economy.poll()
    assert (poll.asked, poll.new_rows, len(poll.problems)) == (SERIES, 0, SERIES)
    assert "wrong" not in " ".join(poll.problems)
