"""Judge new price bars: first each by itself, then the good ones against their accepted past.

Imports Great Expectations and pandas; the stage imports this module only when there is work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from expectations.instruments import instrument_suite
from expectations.prices import bar_suite, history_suite, move_limit
from models.lake import INSTRUMENTS, PRICES, QUARANTINED_PRICES
from pipelines.errors import QualityError
from pipelines.lake import arrow_schema, conform, current_versions, declared, read_files
from pipelines.quality.history import with_history
from pipelines.quality.quarantine import list_quarantine
from pipelines.quality.validation import Failure, validate
from pipelines.sessions import sessions_between
from pipelines.settings import Settings

_BAR = ["symbol", "session_date"]
_VERSION = [*_BAR, "known_at"]


@dataclass(frozen=True)
class Judgement:
    """The verdict on a batch: rows of ``QUARANTINED_PRICES``, and how many bars stand behind it.

    ``bad_share`` is the share of rejected bars in all bars of the sessions that the batch speaks
    of, accepted earlier or new, so that one bad restatement alone is one bad bar and not a bad
    feed. Only the newest version of each bar counts: what a source has put right since does not
    speak against it.
    """

    rejections: pa.Table
    rows_checked: int
    rows_rejected: int
    bad_share: float


def judge(settings: Settings, paths: Sequence[str], past: Sequence[str]) -> Judgement:
    """Judge the rows of some raw price files; writes nothing.

    Parameters
    ----------
    paths : the files to judge.
    past : files that were judged before; what is not in quarantine of them is accepted. A file
        that another process adds meanwhile is in neither, so it counts as nothing yet.

    Raises
    ------
    QualityError
        The instrument reference fails its own expectations.
    """
    batch = _batch(settings, paths)
    classes = _asset_classes(settings)
    sessions = sessions_between(batch["session_date"].min(), batch["session_date"].max())
    failures = validate(bar_suite(sessions, classes), batch)
    rejections = _described(batch, failures)
    survivors = _without(batch, failures)
    accepted = _accepted(settings, past)
    rejections += _against_history(survivors, accepted, classes)
    table = pa.Table.from_pylist(rejections, schema=arrow_schema(QUARANTINED_PRICES))
    rejected = {tuple(row[name] for name in _VERSION) for row in rejections}
    return Judgement(
        rejections=conform(table, QUARANTINED_PRICES),
        rows_checked=len(batch),
        rows_rejected=len(rejected),
        bad_share=_bad_share(batch, accepted, rejected),
    )


def _bad_share(
    batch: pd.DataFrame, accepted: pd.DataFrame, rejected: set[tuple[Any, ...]]
) -> float:
    newest = batch.drop_duplicates(_BAR, keep="last")[_VERSION]
    bad = sum(version in rejected for version in newest.itertuples(index=False, name=None))
    neighbours = accepted[accepted["session_date"].isin(newest["session_date"].unique())]
    return bad / len(pd.concat([newest[_BAR], neighbours[_BAR]]).drop_duplicates())


def _against_history(
    bars: pd.DataFrame, accepted: pd.DataFrame, classes: dict[str, str]
) -> list[dict[str, Any]]:
    """Judge version after version, so that each sees what was known before it."""
    rejections: list[dict[str, Any]] = []
    for _, version in bars.groupby(bars.groupby(_BAR).cumcount()):
        view = pd.concat([accepted.assign(is_new=False), version.assign(is_new=True)])
        view = view.drop_duplicates(_BAR, keep="last").sort_values(_BAR)
        view["asset_class"] = view["symbol"].map(classes)
        with_past = with_history(view, move_limit)
        new = with_past[with_past["is_new"]].reset_index(drop=True)
        failures = validate(history_suite(), new)
        rejections += _described(new, failures)
        good = _without(new, failures)
        accepted = pd.concat([accepted, good[accepted.columns]])
        accepted = accepted.drop_duplicates(_BAR, keep="last")
    return rejections


def _batch(settings: Settings, paths: Sequence[str]) -> pd.DataFrame:
    """Return the files' rows by key; a row that stands in two files alike is one row."""
    rows = conform(read_files(settings, PRICES, paths), PRICES)
    return rows.to_pandas().drop_duplicates(ignore_index=True)


def _accepted(settings: Settings, past: Sequence[str]) -> pd.DataFrame:
    """Return the accepted close of each bar in files that were judged before."""
    columns = [*_VERSION, "close"]
    stored = declared(read_files(settings, PRICES, past, columns), PRICES)
    rows = stored.to_pandas().sort_values(_VERSION)
    rejected = list_quarantine(settings).select(_VERSION).to_pandas().drop_duplicates()
    judged = rows.merge(rejected, how="left", on=_VERSION, indicator="verdict")
    good = judged[judged["verdict"] == "left_only"].drop(columns="verdict")
    return good.drop_duplicates(_BAR, keep="last")


def _asset_classes(settings: Settings) -> dict[str, str]:
    instruments = current_versions(settings, INSTRUMENTS).to_pandas()
    failures = validate(instrument_suite(), instruments)
    if failures:
        first = failures[0]
        raise QualityError(
            "instrument",
            instruments.at[first.position, "symbol"],
            f"{first.reason} ({first.observed_value})",
            first.remedy,
        )
    return dict(zip(instruments["symbol"], instruments["asset_class"], strict=True))


def _without(batch: pd.DataFrame, failures: Sequence[Failure]) -> pd.DataFrame:
    return batch.drop(index=sorted({failure.position for failure in failures}))


def _described(batch: pd.DataFrame, failures: Sequence[Failure]) -> list[dict[str, Any]]:
    return [
        {
            "source": batch.at[failure.position, "source"],
            "symbol": batch.at[failure.position, "symbol"],
            "session_date": batch.at[failure.position, "session_date"],
            "known_at": batch.at[failure.position, "known_at"],
            "rule": failure.rule,
            "observed_value": failure.observed_value,
            "reason": failure.reason,
            "remedy": failure.remedy,
        }
        for failure in failures
    ]
