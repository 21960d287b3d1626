"""A made-up market in which every feature has a value, and another future for it from a day on."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
from warehouse_inputs import OBSERVED_AT, SESSION, action_row, price_row

from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from pipelines.ingest.simulated.macro import macro_rows
from pipelines.lake import arrow_schema
from pipelines.sessions import available_at, session_after, sessions_between

SESSIONS = sessions_between(session_after(SESSION, -1029), SESSION)
SYMBOLS = ("BOLT", "IRON", "LEAD", "SPY", "ZINC")
NEWCOMER = "NEWT"
INGESTED = {"known_at_basis": "vintage", "ingest_session": SESSION}

Rows = list[dict[str, Any]]


def tables(prices: Rows, actions: Rows, macro: Rows, universe: Rows) -> dict[str, pa.Table]:
    """Raw datasets by name, as ``derive_features`` takes them."""
    instruments = [instrument(symbol) for symbol in (*SYMBOLS, NEWCOMER)]
    given = zip(
        (PRICES, ACTIONS, MACRO, UNIVERSE, INSTRUMENTS),
        (prices, actions, macro, universe, instruments),
        strict=True,
    )
    return {table.name: pa.Table.from_pylist(rows, arrow_schema(table)) for table, rows in given}


def the_market() -> dict[str, pa.Table]:
    """Five symbols with bars, actions and memberships, and the economy around them."""
    return tables(prices(), actions(), macro(), universe())


def another_future(after: dt.date) -> dict[str, pa.Table]:
    """The same up to a session; later others: bars, holes, ends, newcomers, actions, revisions."""
    dice = np.random.default_rng(7)
    bars: Rows = []
    for row in prices():
        day, symbol = row["session_date"], row["symbol"]
        if day > after:
            if (symbol == "LEAD" and day.day % 3 == 0) or symbol == "ZINC":
                continue
            factor = float(np.exp(dice.normal(0, 0.05)))
            scaled = {name: row[name] * factor for name in ("open", "high", "low", "close")}
            row |= scaled | {"volume": row["volume"] * 1.5 + 1}
        bars.append(row)
    bars += [price_row(NEWCOMER, day, 10.0, volume=5.0) for day in SESSIONS if day > after]
    later = [day for day in SESSIONS if day > after]
    acts = [row for row in actions() if row["session_date"] <= after]
    acts += [action_row(symbol, later[-1], "split", 2.0) for symbol in ("BOLT", "SPY")]
    acts += [action_row("IRON", later[0], "dividend", 3.0)]
    known = available_at(after)
    economy = [
        row if row["known_at"] <= known else row | {"value": row["value"] * 1.25}
        for row in macro()
        if row["known_at"] <= known or row["observation_date"].month % 2
    ]
    old = [row for row in economy if known - dt.timedelta(days=400) < row["known_at"] <= known]
    # What was known is revised, and some of it withdrawn.
    economy += [
        row
        | {
            "known_at": known + dt.timedelta(hours=2),
            "value": None if number % 5 == 0 else row["value"] + 1,
        }
        for number, row in enumerate(newest(old))
    ]
    members = [row | {"member_until": later[0]} for row in universe() if row["symbol"] == "IRON"]
    members += [row for row in universe() if row["symbol"] != "IRON"]
    return tables(bars, acts, economy, [*members, member(NEWCOMER, later[0])])


def ended_at(session: dt.date) -> dict[str, pa.Table]:
    """Everything that was there and known up to a session, and nothing else."""
    known = available_at(session)
    return tables(
        [row for row in prices() if row["session_date"] <= session],
        [row for row in actions() if row["session_date"] <= session],
        [row for row in macro() if row["known_at"] <= known],
        universe(),
    )


def prices() -> Rows:
    """Daily bars with gaps, ranges and volumes; SPY is the market that the others follow."""
    dice = np.random.default_rng(3)
    shape = (len(SESSIONS), len(SYMBOLS))
    moves = dice.normal(0.0002, 0.008, (len(SESSIONS), 1)) + dice.normal(0, 0.01, shape)
    closes = np.exp(np.cumsum(moves, axis=0)) * np.geomspace(3, 900, len(SYMBOLS))
    opens = closes * np.exp(dice.normal(0, 0.004, shape))
    highs = np.maximum(opens, closes) * np.exp(abs(dice.normal(0, 0.006, shape)))
    lows = np.minimum(opens, closes) * np.exp(-abs(dice.normal(0, 0.006, shape)))
    volumes = np.round(np.exp(dice.normal(13, 0.5, shape)))
    return [
        price_row(
            symbol,
            session,
            float(closes[day, number]),
            open=float(opens[day, number]),
            high=float(highs[day, number]),
            low=float(lows[day, number]),
            volume=float(volumes[day, number]),
            price_basis="as_traded",
        )
        for number, symbol in enumerate(SYMBOLS)
        for day, session in enumerate(SESSIONS)
    ]


def actions() -> Rows:
    """Quarterly dividends of all symbols, and two splits each."""
    rows: Rows = []
    for number, symbol in enumerate(SYMBOLS):
        rows += [
            action_row(symbol, day, "dividend", 0.01 * 4**number)
            for day in SESSIONS[number + 5 :: 63]
        ]
        rows += [action_row(symbol, SESSIONS[700 + 9 * number], "split", 3.0)]
        rows += [action_row(symbol, SESSIONS[980 + 9 * number], "split", 0.25)]
    return rows


def macro() -> Rows:
    """Vintages of all series; retail sales move as consumer prices do."""
    first = SESSIONS[0] - dt.timedelta(days=800)
    rows = macro_rows(first, SESSION).to_pylist()
    rows += [row | {"series_id": "RSAFS"} for row in rows if row["series_id"] == "CPIAUCSL"]
    return [
        {
            **{name: row[name] for name in ("series_id", "observation_date", "value")},
            **INGESTED,
            "source": "sample",
            "known_at": row["released_at"],
        }
        for row in rows
    ]


def universe() -> Rows:
    return [member(symbol, SESSIONS[0]) for symbol in SYMBOLS]


def member(symbol: str, since: dt.date) -> dict[str, Any]:
    return INGESTED | {
        "source": "sample",
        "universe": "all",
        "symbol": symbol,
        "member_from": since,
        "member_until": None,
        "known_at": available_at(since),
    }


def instrument(symbol: str) -> dict[str, Any]:
    return INGESTED | {
        "source": "sample",
        "symbol": symbol,
        "name": symbol.title(),
        "asset_class": "technology",
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": symbol,
        "reference_weight": 0.2,
        "tradable": True,
        "known_at": min(available_at(SESSIONS[0]), OBSERVED_AT),
    }


def newest(rows: Rows) -> Rows:
    """The newest version of each observation."""
    found = {}
    for row in sorted(rows, key=lambda row: row["known_at"]):
        found[row["series_id"], row["observation_date"]] = row
    return list(found.values())
