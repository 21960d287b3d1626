"""Ways to spoil an answer: each turns the right JSON into what the client gets instead."""

import copy
import json
from collections.abc import Callable
from typing import Any

from .internet import Reply
from .yahoo import Answer, Spoiler

_TOO_MANY = b"Edge: Too Many Requests"
_BROKEN = b"<html><head><title>500</title></head><body>Internal Server Error</body></html>"


def too_many_requests(answer: Answer) -> Reply:
    return Reply(429, _TOO_MANY, "text/html")


def server_error(answer: Answer) -> Reply:
    return Reply(500, _BROKEN, "text/html")


def empty_page(answer: Answer) -> Reply:
    return Reply(200, b"")


def half_of_it(answer: Answer) -> Reply:
    """JSON that ends in the middle, though the connection ends well."""
    body = json.dumps(answer).encode()
    return Reply(200, body[: len(body) // 2])


def cut_off(answer: Answer) -> Reply:
    """A connection that dies in the middle of the body."""
    body = json.dumps(answer).encode()
    return Reply(200, body, cut_at=len(body) // 2)


def no_bars(answer: Answer) -> Reply:
    """A chart of a known symbol without any bar, as Yahoo sends it for an empty period."""
    spoiled = copy.deepcopy(answer)
    result = spoiled["chart"]["result"][0]
    del result["timestamp"]
    result.pop("events", None)
    result["indicators"] = {"quote": [{}], "adjclose": [{}]}
    return Reply(200, json.dumps(spoiled).encode())


def late(seconds: float) -> Spoiler:
    return lambda answer: Reply(200, json.dumps(answer).encode(), delay_s=seconds)


def changed(change: Callable[[dict[str, Any]], None]) -> Spoiler:
    """The chart after a change to its ``result``."""

    def spoil(answer: Answer) -> Reply:
        spoiled = copy.deepcopy(answer)
        change(spoiled["chart"]["result"][0])
        return Reply(200, json.dumps(spoiled).encode())

    return spoil
