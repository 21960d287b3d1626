"""Macro levels and changes are those of the vintage that a session's run knew, by brute force."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from feature_chain import derive_features
from whole_market import SESSIONS, another_future, the_market

from pipelines.sessions import available_at
from pipelines.settings import Settings

DAILY = {"treasury_2y": "DGS2", "treasury_10y": "DGS10", "vix": "VIXCLS"}
MONTHLY = {
    "fed_funds": "FEDFUNDS",
    "unemployment": "UNRATE",
    "inflation": "CPIAUCSL",
    "payrolls": "PAYEMS",
    "industrial_production": "INDPRO",
    "retail_sales": "RSAFS",
}
STALE_AFTER_DAYS = {"daily": 10, "monthly": 125}
LONGEST_GAP_DAYS = 5

RENAMED = {
    **{f"{name}_percent": name for name in (*DAILY, *MONTHLY)},
    "inflation_12m": "inflation_growth_12m",
}
"""Columns of the mart that have another name than what is expected here."""

Known = dict[dt.date, float]


@pytest.fixture(scope="module", params=["revised", "with months missing"])
def world(request: pytest.FixtureRequest) -> dict[str, pa.Table]:
    """An economy of vintages; in the other one values are withdrawn and every second month ends."""
    return the_market() if request.param == "revised" else another_future(SESSIONS[-400])


@pytest.fixture(scope="module")
def derived(
    world: dict[str, pa.Table],
    small_warehouse: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> pd.DataFrame:
    compiled = small_warehouse.warehouse / "dbt" / "compiled" / "smartinvest" / "models"
    folder: Path = tmp_path_factory.mktemp("macro")
    features = derive_features(compiled, folder, **world).to_pandas()
    return features.drop_duplicates("session_date").set_index("session_date")


def known_at(macro: pd.DataFrame, series: str, moment: dt.datetime) -> Known:
    """Each observation's value as known at a moment; one that was withdrawn is not there."""
    seen = macro[(macro["series_id"] == series) & (macro["known_at"] <= moment)]
    newest = seen.sort_values("known_at").groupby("observation_date")["value"].last()
    last = seen.sort_values("known_at").groupby("observation_date").tail(1)
    withdrawn = set(last.loc[last["value"].isna(), "observation_date"])
    return {day: value for day, value in newest.items() if day not in withdrawn}


def newest_up_to(known: Known, day: dt.date, oldest: dt.date) -> dt.date | None:
    return max((date for date in known if oldest <= date <= day), default=None)


def months_before(day: dt.date, months: int) -> dt.date:
    return (pd.Timestamp(day) - pd.DateOffset(months=months)).date()


def expected(macro: pd.DataFrame, session: dt.date) -> dict[str, float | None]:
    """Every macro feature of a session, from all versions known by its cut."""
    cut = available_at(session)
    found: dict[str, float | None] = {}
    for kind, names in (("daily", DAILY), ("monthly", MONTHLY)):
        oldest = session - dt.timedelta(days=STALE_AFTER_DAYS[kind])
        for name, series in names.items():
            known = known_at(macro, series, cut)
            day = newest_up_to(known, session, oldest)
            found[f"{name}_age_days"] = (session - day).days if day else None
            found[name] = known[day] if day else None
            found |= {f"{name}_{what}": value for what, value in compared(known, day, kind).items()}
    return found


def compared(known: Known, day: dt.date | None, kind: str) -> dict[str, float | None]:
    bases: dict[str, float | None] = dict.fromkeys(("21d", "3m", "12m"))
    if day and kind == "daily":
        until = [session for session in SESSIONS if session <= day][-22]
        base = newest_up_to(known, until, until - dt.timedelta(days=LONGEST_GAP_DAYS))
        bases["21d"] = known[base] if base else None
    if day and kind == "monthly":
        bases |= {f"{n}m": known.get(months_before(day, n)) for n in (3, 12)}
    changes: dict[str, float | None] = {}
    growths: dict[str, float | None] = {}
    for span, base in bases.items():
        is_known = day is not None and base is not None
        changes[f"change_{span}"] = known[day] - base if is_known else None
        growths[f"growth_{span}"] = known[day] / base - 1 if is_known else None
    return changes | growths


def test_a_session_has_the_levels_and_changes_of_what_its_run_knew(
    world: dict[str, pa.Table], derived: pd.DataFrame
) -> None:
    macro = world["macro"].to_pandas()
    stems = (*DAILY, *MONTHLY)
    checked = [column for column in derived.columns if column.startswith(stems)]
    assert len(checked) == 25
    values = 0
    for session in SESSIONS[100::37]:
        theirs = expected(macro, session)
        for column in checked:
            ours, their = derived.loc[session, column], theirs[RENAMED.get(column, column)]
            if their is None:
                assert pd.isna(ours), (session, column)
            else:
                assert ours == pytest.approx(their, rel=1e-12, abs=1e-12), (session, column)
                values += 1
    assert values > 300
