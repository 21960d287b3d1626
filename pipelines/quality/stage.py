"""The check stage: what ingest did not judge is judged, and the whole is found fit to be used."""

import datetime as dt
import logging
from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from expectations.instruments import REFERENCE_SUITE
from models.lake import INSTRUMENTS, PRICES
from pipelines.errors import QualityError
from pipelines.lake import landed_files, rejections
from pipelines.progress import step
from pipelines.quality.data_docs import is_confirmed, write_index
from pipelines.quality.incoming import accepted_versions, check_unchecked, rules_digest
from pipelines.quality.judging import Batch, failing
from pipelines.quality.notes import Note, notes_of
from pipelines.quality.quarantine import list_quarantine, mirror_to_store
from pipelines.quality.recent import Recent, recent
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

LARGEST_BAD_SHARE = 1 / 3
"""A larger share of bad bars, of a session or of everything, is a broken feed, not bad symbols."""


@dataclass(frozen=True)
class QualityReport:
    """How good a source's prices are, and which symbols are frozen as of the check's session.

    ``rows_checked`` counts what was judged because ingest had not done so; ``rules`` the versions
    in quarantine by rule, and a version may fail several; ``notes`` say what is odd about a
    symbol without rejecting anything.
    """

    rows: int
    rows_checked: int
    rows_quarantined: int
    symbols_frozen: tuple[str, ...]
    rules: dict[str, int]
    notes: dict[str, str]


def check(settings: Settings, session: dt.date) -> QualityReport:
    """Judge what was not judged yet, have it confirmed, and refuse a source that is broken.

    Raises
    ------
    QualityError
        The instrument reference is wrong, so much is bad that the source must be broken, or
        Great Expectations disagrees with a verdict. Raw rows and verdicts stay; a source that
        puts its rows right is fit again.
    LakeError
        A file of the lake is broken.
    """
    with step(f"check of {settings.source.value}"):
        checked = check_unchecked(settings, session)
        _require_reference(settings)
        rejected = rejections(settings, PRICES)
        rows = sum(file.summary.rows for file in landed_files(settings, "raw", PRICES))
        last = recent(settings, session)
        _require_sound_feed(settings, rows, rejected, last)
        said = notes_of(settings, session, last)
        _confirm_and_document(settings, said)
        mirror_to_store(settings)
    frozen = last.frozen()
    if frozen:
        logger.warning("frozen as of %s: %s", session, ", ".join(frozen))
    notes: dict[str, str] = {}
    for symbol, note in said:
        notes[symbol] = f"{notes[symbol]}; {note}" if symbol in notes else note
        logger.info("%s: %s", symbol, note)
    return QualityReport(
        rows=rows,
        rows_checked=checked,
        rows_quarantined=_versions(rejected),
        symbols_frozen=frozen,
        rules=dict(sorted(Counter(rejected["rule"].to_pylist()).items())),
        notes=notes,
    )


def _require_reference(settings: Settings) -> None:
    reference = accepted_versions(settings, INSTRUMENTS)
    if not any(reference["tradable"].to_pylist()):
        return  # A folder of prices without a reference: nobody may hold any of it.
    instruments = Batch.of(reference)
    for rule in REFERENCE_SUITE:
        if failing(rule, instruments).size:
            raise QualityError(
                f"instruments of source {settings.source.value}",
                rule.name,
                rule.reason,
                rule.remedy,
            )


def _require_sound_feed(settings: Settings, rows: int, rejected: pa.Table, last: Recent) -> None:
    shares = {
        f"of the bars of {last.sessions[-1]}": last.bad_share_of_session(),
        "of all bars": _versions(rejected) / rows if rows else 0.0,
    }
    for what, share in shares.items():
        if share > LARGEST_BAD_SHARE:
            counts = dict(sorted(Counter(rejected["rule"].to_pylist()).items()))
            raise QualityError(
                f"source {settings.source.value}, share of bad bars",
                f"{share:.0%}",
                f"more than {LARGEST_BAD_SHARE:.0%} {what} failed ({rows} rows; {counts})",
                "The feed itself must be wrong: mend or change the source and ingest again.",
            )


def _confirm_and_document(settings: Settings, said: list[Note]) -> None:
    """Have what is new confirmed, and write the pages; clean rows wake no Great Expectations."""
    if not is_confirmed(settings, rules_digest()):
        from pipelines.quality.documenting import confirm_and_write_suites

        confirm_and_write_suites(settings)
    write_index(settings, list_quarantine(settings), said)


def _versions(rejected: pa.Table) -> int:
    keys = ["symbol", "session_date", "known_at"]
    return int(rejected.group_by(keys).aggregate([]).num_rows)
