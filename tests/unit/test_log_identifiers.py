"""Log lines carry keys of what they are about, and nothing but keys."""

import logging
import threading

import pytest
import structlog

from pipelines.log_identifiers import (
    AddIdentifiers,
    UnknownIdentifierError,
    bind_also,
    current,
    identified,
)


def _line() -> str:
    record = logging.makeLogRecord({"msg": "done"})
    AddIdentifiers().filter(record)
    return logging.Formatter("%(identifiers)s%(message)s").format(record)


def test_lines_carry_what_surrounds_them_in_a_fixed_order_and_lose_it_after() -> None:
    with identified(account=17), identified(session="2022-12-28"):
        assert _line() == "[session=2022-12-28 account=17] done"
    assert _line() == "done"


def test_an_inner_identifier_replaces_an_outer_one_for_its_time() -> None:
    with identified(account=1):
        with identified(account=2):
            assert current() == {"account": "2"}
        assert current() == {"account": "1"}


@pytest.mark.parametrize("name", ["name", "email", "address", "birth_date", "amount"])
def test_nothing_but_keys_can_be_put_on_a_line(name: str) -> None:
    with pytest.raises(UnknownIdentifierError, match=name), identified(**{name: "Anna"}):
        pass


def test_an_error_inside_takes_the_identifiers_off_again() -> None:
    with pytest.raises(RuntimeError), identified(account=1):
        raise RuntimeError
    assert current() == {}


def test_threads_do_not_see_each_others_identifiers() -> None:
    seen: list[dict[str, str]] = []
    with identified(account=1):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
    assert seen == [{}]


def test_another_logging_system_gets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.log_identifiers._binders", [])
    bind_also(structlog.contextvars.bound_contextvars)
    bind_also(structlog.contextvars.bound_contextvars)
    with identified(advice_run="abc"):
        assert structlog.contextvars.get_contextvars() == {"advice_run": "abc"}
    assert structlog.contextvars.get_contextvars() == {}
