"""Quality: what fails its expectations goes to quarantine with the reason; the rest goes on.

``judging`` decides, from rows alone. ``incoming`` files verdicts as data comes in, ``stage`` ends
an ingest, ``confirmation`` has Great Expectations agree, ``release`` is for people who know better.
"""

from pipelines.quality.freshness import Freshness, freshness
from pipelines.quality.incoming import (
    check_rows,
    check_unchecked,
    price_judge,
    rules_digest,
    verdict_on,
)
from pipelines.quality.listing import grouped, of_symbol, write_csv
from pipelines.quality.quarantine import list_quarantine
from pipelines.quality.release import release
from pipelines.quality.stage import QualityReport, check

__all__ = [
    "Freshness",
    "QualityReport",
    "check",
    "check_rows",
    "check_unchecked",
    "freshness",
    "grouped",
    "list_quarantine",
    "of_symbol",
    "price_judge",
    "release",
    "rules_digest",
    "verdict_on",
    "write_csv",
]
