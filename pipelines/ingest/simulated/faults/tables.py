# ruff: noqa: ARG001 - a fault need not use all that its signature offers
"""Faults of macro series, instruments and the universe: one row of a table goes wrong."""

import datetime as dt
from typing import Any

import pandas as pd

from pipelines.ingest.simulated.faults.fault import MATTERS, Boundary, TableFault, TableSpoil, Truth


def _observation(rows: pd.DataFrame, at: int, how: str) -> Truth:
    day = rows["observation_date"].iloc[at]
    return Truth(rows["series_id"].iloc[at], day, day, how)


def _reference(rows: pd.DataFrame, at: int, how: str) -> Truth:
    """Return the truth about a symbol, for ever: a reference has no session."""
    return Truth(rows["symbol"].iloc[at], dt.date.min, dt.date.max, how)


def _set(rows: pd.DataFrame, at: int, column: str, value: Any) -> pd.DataFrame:
    rows = rows.copy()
    rows[column] = rows[column].astype(object)
    rows.loc[rows.index[at], column] = value
    return rows


def _macro_times(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    value = rows["value"].iloc[at] * severity
    return _set(rows, at, "value", value), _observation(rows, at, "the value is in another unit")


def _macro_negative(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    value = -abs(rows["value"].iloc[at])
    return _set(rows, at, "value", value), _observation(rows, at, "the value is negative")


def _macro_infinite(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    return _set(rows, at, "value", float("inf")), _observation(rows, at, "the value is no number")


def _macro_missing(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    """Leave out a period in all its vintages."""
    truth = _observation(rows, at, "the period is missing")
    is_it = (rows["series_id"] == truth.thing) & (rows["observation_date"] == truth.first)
    return rows[~is_it].reset_index(drop=True), truth


def _macro_too_early(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    early = rows["released_at"].iloc[at] - pd.Timedelta(days=400)
    truth = _observation(rows, at, "it was released before its period began")
    return _set(rows, at, "released_at", early), truth


def _macro_contradiction(
    rows: pd.DataFrame, at: int, severity: float
) -> tuple[pd.DataFrame, Truth]:
    again = rows.iloc[[at]].assign(value=rows["value"].iloc[at] * (1 + severity))
    bars = pd.concat([rows, again], ignore_index=True)
    return bars, _observation(rows, at, "one vintage has two values")


def _macro_wrong_day(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    """Date a monthly value by the middle of its month."""
    day = rows["observation_date"].iloc[at].replace(day=15)
    spoiled = _set(rows, at, "observation_date", day)
    return spoiled, _observation(spoiled, at, "it is dated inside its month")


def _reference_value(column: str, value: Any, how: str) -> TableSpoil:
    def spoil(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
        return _set(rows, at, column, value), _reference(rows, at, how)

    return spoil


def _instrument_lost(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    truth = _reference(rows, at, "bars come, the instrument is not in the reference")
    return rows.drop(index=rows.index[at]).reset_index(drop=True), truth


def _instrument_doubled(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    again = rows.iloc[[at]].assign(asset_class="bond", name="Somebody else")
    truth = _reference(rows, at, "the reference contradicts itself")
    return pd.concat([rows, again], ignore_index=True), truth


def _membership_reversed(
    rows: pd.DataFrame, at: int, severity: float
) -> tuple[pd.DataFrame, Truth]:
    until = rows["member_from"].iloc[at] - dt.timedelta(days=30)
    return _set(rows, at, "member_until", until), _reference(rows, at, "it ends before it begins")


def _membership_overlaps(
    rows: pd.DataFrame, at: int, severity: float
) -> tuple[pd.DataFrame, Truth]:
    later = rows["member_from"].iloc[at] + dt.timedelta(days=30)
    again = rows.iloc[[at]].assign(member_from=later)
    truth = _reference(rows, at, "two memberships overlap")
    return pd.concat([rows, again], ignore_index=True), truth


def _member_unknown(rows: pd.DataFrame, at: int, severity: float) -> tuple[pd.DataFrame, Truth]:
    spoiled = _set(rows, at, "symbol", "GHOST")
    return spoiled, _reference(spoiled, at, "the member is no known instrument")


_M, _I, _U = Boundary.MACRO, Boundary.INSTRUMENTS, Boundary.UNIVERSE
_TIMES = (0.01, 0.1, 10, 100)
TABLE_FAULTS = (
    TableFault(
        "macro_unit", _M, "a value in another unit", _macro_times, _TIMES, "times the truth", 0.01
    ),
    TableFault("macro_negative", _M, "a value below zero", _macro_negative),
    TableFault("macro_infinite", _M, "a value that is no number", _macro_infinite),
    TableFault("macro_missing_period", _M, "a period without a value", _macro_missing),
    TableFault("macro_too_early", _M, "a release before its period", _macro_too_early),
    TableFault(
        "macro_contradiction",
        _M,
        "one vintage with two values",
        _macro_contradiction,
        (0.001, MATTERS, 0.5),
        "relative difference",
        MATTERS,
    ),
    TableFault("macro_wrong_day", _M, "a month dated inside itself", _macro_wrong_day),
    TableFault(
        "currency_misspelt",
        _I,
        "a currency that is no code",
        _reference_value("currency", "usd", "the currency is no ISO code"),
    ),
    TableFault(
        "class_unknown",
        _I,
        "a class that nobody knows",
        _reference_value("asset_class", "tech", "the class is not in the vocabulary"),
    ),
    TableFault(
        "fee_in_percent",
        _I,
        "a fee in another unit",
        _reference_value("expense_ratio_bps", 9_500, "the fee is 95 % a year"),
    ),
    TableFault(
        "fee_negative",
        _I,
        "a fee below zero",
        _reference_value("expense_ratio_bps", -5, "the fee is negative"),
    ),
    TableFault(
        "weight_negative",
        _I,
        "a reference weight below zero",
        _reference_value("reference_weight", -0.5, "the reference weight is negative"),
    ),
    TableFault("instrument_lost", _I, "bars of an unknown symbol", _instrument_lost),
    TableFault("instrument_doubled", _I, "two entries of a symbol", _instrument_doubled),
    TableFault("membership_reversed", _U, "it ends before it begins", _membership_reversed),
    TableFault("membership_overlaps", _U, "two at the same time", _membership_overlaps),
    TableFault("member_unknown", _U, "a member that is no instrument", _member_unknown),
)
