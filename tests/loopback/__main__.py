"""Runs every scenario and prints what was asked, answered and stored."""

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .economy import economy
from .scenarios import FRED_SCENARIOS, SCENARIOS
from .world import Poll, world

COLUMNS = ("scenario", "asked", "answered", "delivered", "new", "restated", "actions", "problems")


def main() -> int:
    """Print a table, one line for each poll; return 1 if a scenario failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of the scenarios to run")
    only = parser.parse_args().only
    logging.disable(logging.CRITICAL)
    failed = 0
    rows: list[tuple[str, ...]] = []
    for name, story, polls, error in _all_outcomes(only):
        failed += error is not None
        rows.append((f"{name}: {story}", *[""] * (len(COLUMNS) - 1)))
        rows += [_line(poll) for poll in polls]
        if error is not None:
            rows.append((f"  FAILED: {error}", *[""] * (len(COLUMNS) - 1)))
    widths = [
        max(len(row[place]) for row in [COLUMNS, *rows] if place or row[1])
        for place in range(len(COLUMNS))
    ]
    for row in [COLUMNS, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print((row[0] if not row[1] else "  ".join(cells)).rstrip())
    total = len({row[0] for row in rows if not row[1]})
    print(f"\n{total} scenarios, {failed} failed; after each of {len(rows) - total} polls every")
    print("row stored before was still there, and every newest version was the truth.")
    return int(failed > 0)


def _all_outcomes(only: str) -> Iterator[tuple[str, str, list[Poll], str | None]]:
    for scenario in (*SCENARIOS, *FRED_SCENARIOS):
        if only not in scenario.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = (
                world(Path(folder))
                if scenario in SCENARIOS
                else economy(Path(folder), scenario.key)
            )
            error = None
            with place as made_up:
                try:
                    scenario.act(made_up)
                except AssertionError as failure:
                    error = str(failure) or "it did not come out as told"
        yield scenario.name, scenario.story, made_up.polls, error


def _line(poll: Poll) -> tuple[str, ...]:
    answered = ", ".join(f"{count} x {status}" for status, count in sorted(poll.statuses.items()))
    troubles = "; ".join(filter(None, (poll.refused, *poll.problems)))
    numbers = (poll.delivered, poll.new_rows, poll.restated_rows, poll.actions)
    return ("  poll", str(poll.asked), answered or "-", *map(str, numbers), troubles[:110] or "-")


if __name__ == "__main__":
    sys.exit(main())
