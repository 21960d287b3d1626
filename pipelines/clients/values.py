"""Text of a CSV cell to the exact integer, date or word that the store holds."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from models.vocabulary import CASH, MICROS, AssetClass, PreferenceKind
from pipelines.sessions import read_date

CENTS = 100
MAX_DOLLARS = 10**9
"""Largest amount accepted: its micros are still exact in a binary64."""
MAX_SHARES = 10**8

_UNSIGNED = re.compile(r"[0-9]{1,15}(?:\.([0-9]+))?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: invisible, but Persian, Hindi or Sinhala names are spelt with them."""
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-^=]{0,14}", re.ASCII)

Word = TypeVar("Word", bound=StrEnum)


class ValueProblem(ValueError):  # noqa: N818 - a finding about a cell, not a failure
    """A cell's text is not a value of its column; says what is wrong and what to do.

    ``problem`` and ``remedy`` never quote the cell, because they are kept in the store and a
    shifted column puts a name anywhere. ``part`` is the offending piece of the cell, for the
    operator's eyes only; the whole cell if None.
    """

    def __init__(self, problem: str, remedy: str, part: str | None = None) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.part = part


def dollars_to_cents(text: str) -> int:
    """Read dollars with at most two decimals as exact cents."""
    return _scaled(text, CENTS, 2, MAX_DOLLARS, "an amount in dollars, such as 1250.50")


def quantity_to_micros(text: str) -> int:
    """Read a share count with at most six decimals as exact millionths."""
    return _scaled(text, MICROS, 6, MAX_SHARES, "a number of shares, such as 2.5")


def price_to_micros(text: str) -> int:
    """Read a price above zero in dollars with at most six decimals as exact millionths."""
    micros = _scaled(text, MICROS, 6, MAX_DOLLARS, "a price in dollars, such as 131.294998")
    if micros == 0:
        raise ValueProblem("a price of zero is none", "Write a price in dollars, such as 131.29.")
    return micros


def weight(text: str) -> float:
    """Read a cap as a fraction in (0, 1]; an empty cell is no cap, which is 1."""
    if not text:
        return 1.0
    micros = _scaled(text, MICROS, 6, 1, "a fraction such as 0.25, or leave it empty")
    if micros == 0:
        raise ValueProblem(
            "a cap of zero leaves nothing to hold",
            "Write a fraction above 0, or leave it empty for no cap.",
        )
    return micros / MICROS


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of integers from low to high, both included."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueProblem(
                f"it is no whole number from {low} to {high}", f"Write one from {low} to {high}."
            )
        return int(text)

    return read


def word(vocabulary: type[Word]) -> Callable[[str], Word]:
    """Return a reader of one of the vocabulary's words."""

    def read(text: str) -> Word:
        try:
            return vocabulary(text)
        except ValueError:
            known = ", ".join(vocabulary)
            raise ValueProblem("the word is not known here", f"Write one of {known}.") from None

    return read


def iso_date(text: str) -> dt.date:
    """Read YYYY-MM-DD."""
    try:
        return read_date(text)
    except ValueError:
        raise ValueProblem("it is no date", "Write it as YYYY-MM-DD.") from None


def moment(text: str) -> dt.datetime:
    """Read a moment of ISO 8601 with its offset from UTC."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueProblem(
            "it is no moment with its offset", "Write it as 2022-12-28T10:31:05-05:00."
        )
    return found


def plain_text(longest: int) -> Callable[[str], str]:
    """Return a reader of text that is there, printable (joiners count) and not too long."""

    def read(text: str) -> str:
        if not text.strip(_JOINERS):
            raise ValueProblem("it is empty", "Fill it in.")
        if len(text) > longest:
            raise ValueProblem(f"it is longer than {longest} characters", "Shorten it.")
        invisible = (char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs"))
        if any(char not in _JOINERS for char in invisible):
            raise ValueProblem("it holds invisible control characters", "Remove them.")
        return text

    return read


def email(text: str) -> str:
    """Read an address of the form name@host; whether it exists is not checked."""
    address = plain_text(254)(text)
    if not _EMAIL.fullmatch(address):
        raise ValueProblem("it is no e-mail address", "Write it as name@host.")
    return address


def holdings(text: str) -> tuple[tuple[str, int], ...]:
    """Read ``AAPL:10;MSFT:2.5`` as (symbol, micros) sorted by symbol; empty is no holding."""
    found: dict[str, int] = {}
    for part in _parts(text):
        symbol, micros = _holding(part)
        if symbol in found:
            raise ValueProblem("a symbol is listed twice", "Add its quantities up.", symbol)
        found[symbol] = micros
    return tuple(sorted(found.items()))


def exclusions(text: str) -> tuple[tuple[PreferenceKind, str], ...]:
    """Read ``symbol:AAPL;class:energy`` as sorted (kind, subject); empty excludes nothing."""
    found: set[tuple[PreferenceKind, str]] = set()
    for part in _parts(text):
        exclusion = _exclusion(part)
        if exclusion in found:
            raise ValueProblem("an exclusion is listed twice", "List it once.", part)
        found.add(exclusion)
    return tuple(sorted(found))


def _holding(part: str) -> tuple[str, int]:
    symbol, colon, quantity = (piece.strip() for piece in part.partition(":"))
    if symbol == CASH:
        raise ValueProblem(f"{CASH} is no instrument", "Write cash in the column `cash`.", part)
    if not colon or not _SYMBOL.fullmatch(symbol):
        raise ValueProblem(
            "it is no list of holdings", "Write SYMBOL:QUANTITY, separated by semicolons.", part
        )
    try:
        micros = quantity_to_micros(quantity)
    except ValueProblem as error:
        raise ValueProblem(f"a quantity is wrong: {error.problem}", error.remedy, part) from None
    if micros == 0:
        raise ValueProblem("a quantity is zero", "Leave the symbol out.", part)
    return symbol, micros


def _exclusion(part: str) -> tuple[PreferenceKind, str]:
    kind, _, subject = (piece.strip() for piece in part.partition(":"))
    if kind == "symbol" and _SYMBOL.fullmatch(subject):
        return PreferenceKind.EXCLUDE_SYMBOL, subject
    if kind == "class":
        try:
            return PreferenceKind.EXCLUDE_CLASS, word(AssetClass)(subject)
        except ValueProblem as error:
            raise ValueProblem(error.problem, error.remedy, part) from None
    raise ValueProblem(
        "it is no list of exclusions",
        "Write symbol:SYMBOL or class:CLASS, separated by semicolons.",
        part,
    )


def _parts(text: str) -> list[str]:
    """Split at semicolons; an empty cell has no parts, a stray semicolon gives an empty one."""
    return [part.strip() for part in text.split(";")] if text else []


def _scaled(text: str, scale: int, decimals: int, largest: int, what: str) -> int:
    """Read an unsigned decimal exactly as an integer number of 1/scale."""
    if text.startswith("-"):
        raise ValueProblem("it is negative", f"Write {what}.")
    match = _UNSIGNED.fullmatch(text)
    if not match:
        raise ValueProblem("it is no plain number", f"Write {what}.")
    if len((match[1] or "").rstrip("0")) > decimals:
        raise ValueProblem(f"it has more than {decimals} decimals", f"Write {what}.")
    value = Decimal(text)
    if value > largest:
        raise ValueProblem(f"it is above the limit of {largest}", "Check the number of digits.")
    return int(value * scale)
