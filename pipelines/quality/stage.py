"""The check stage: judge what ingest added, put what fails into quarantine, name frozen symbols."""

import datetime as dt
import logging
from collections import Counter
from dataclasses import dataclass

from models.lake import PRICES
from pipelines.errors import QualityError
from pipelines.lake import add_rejections, dataset_files, mark_checked, unchecked_files
from pipelines.lineage import REPOSITORY, tree_digest
from pipelines.progress import step
from pipelines.quality.frozen import frozen_symbols
from pipelines.quality.quarantine import mirror_to_store
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

LARGEST_BAD_SHARE = 1 / 3
"""A larger share of bad bars in the sessions of a batch is a broken feed, not bad symbols."""

_RULES = ("expectations", "pipelines/quality")


@dataclass(frozen=True)
class QualityReport:
    """What one check did, and which symbols are frozen as of its session.

    ``rules`` counts the rows that failed each rule; a row may fail several.
    """

    rows_checked: int
    rows_quarantined: int
    symbols_frozen: tuple[str, ...]
    rules: dict[str, int]


def check(settings: Settings, session: dt.date) -> QualityReport:
    """Judge the raw prices that were not judged yet and quarantine the rows that fail.

    Raises
    ------
    QualityError
        The instrument reference is wrong, or so much of the batch is bad that the source must be
        broken. Nothing is quarantined then, raw data stays, and the next check starts over.
    LakeError
        A file of the lake is broken.
    """
    checked = quarantined = 0
    rules: dict[str, int] = {}
    rules_digest = tree_digest(REPOSITORY, _RULES, {".py"})
    # One list for the whole check: what an ingest adds meanwhile is the next check's business.
    files = dataset_files(settings, PRICES)
    unchecked = set(unchecked_files(settings, PRICES, rules_digest))
    if paths := [path for path in files if path in unchecked]:
        with step(f"check of {len(paths)} new price file(s)"):
            from pipelines.quality.judgement import judge

            judgement = judge(settings, paths, [path for path in files if path not in unchecked])
        checked, quarantined = judgement.rows_checked, judgement.rows_rejected
        rules = dict(sorted(Counter(judgement.rejections["rule"].to_pylist()).items()))
        if judgement.bad_share > LARGEST_BAD_SHARE:
            raise QualityError(
                f"source {settings.source.value}, share of bad bars",
                f"{judgement.bad_share:.0%}",
                f"more than {LARGEST_BAD_SHARE:.0%} of the bars in the new rows' sessions failed "
                f"({checked} rows checked; {rules})",
                "The feed itself must be wrong: mend or change the source and ingest again.",
            )
        add_rejections(settings, PRICES, rules_digest, judgement.rejections)
        mark_checked(settings, PRICES, rules_digest, session, paths)
    mirror_to_store(settings)
    frozen = frozen_symbols(settings, session, files)
    if frozen:
        logger.warning("frozen as of %s: %s", session, ", ".join(frozen))
    return QualityReport(checked, quarantined, frozen, rules)
