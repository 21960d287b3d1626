"""The base of a build: the kept build that it goes on from instead of computing everything."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.lake import RAW, quarantined
from pipelines.errors import LakeError, WarehouseError
from pipelines.lake import Manifest, declared, read_manifest, read_verdicts, releases, unreleased
from pipelines.settings import Settings
from pipelines.warehouse.changes import Changes, Inputs, changes_since, everything
from pipelines.warehouse.publication import finished_builds, is_of_code
from pipelines.warehouse.record import (
    LAST_BARS_FILE,
    PARTS_FILE,
    WarehouseBuild,
    read_build,
    read_parts,
)

logger = logging.getLogger(__name__)

REJECTED_FOLDER = "rejected"

_LARGEST_SHARE = 0.2
_SESSIONS_PER_DAY = 5 / 7


@dataclass(frozen=True)
class Plan:
    """What a build computes, and from which build it takes the rest: from none if all is new."""

    base: WarehouseBuild | None
    changes: Changes

    def __str__(self) -> str:
        if self.base is None:
            return f"the whole panel is computed: {self.changes.everything}"
        changed = self.changes.symbols.num_rows
        return f"it goes on from {self.base.path.name}: inputs of {changed:,} symbols changed"


def plan(settings: Settings, new: Inputs, code_digest: str) -> Plan:
    """Find the newest build that this one can go on from, and what changed since.

    It is of the same source and code, of no later session, knew nothing later, and is whole. One
    that is damaged is passed over, with a line in the log.
    """
    base = _newest(settings, new.manifest, code_digest)
    if base is None:
        return _full("no kept build of this code and source is earlier")
    try:
        read_parts(base.path / PARTS_FILE, base.panel_path)
        symbols = pq.read_table(base.path / LAST_BARS_FILE, columns=["symbol"])["symbol"]
        manifest = read_manifest(settings, base.data_snapshot)
        inputs = Inputs(manifest, read_rejected(base.path))
        changes = changes_since(settings, inputs, new, set(symbols.to_pylist()))
    except (WarehouseError, LakeError, OSError, pa.ArrowException) as error:
        return _full(f"the build {base.path.name} cannot be used: {error}")
    if changes.everything is not None:
        return _full(changes.everything)
    if not is_worth_it(sum(part.rows for part in base.panel), changes, new.manifest.session_date):
        return _full(f"of {base.path.name} too little would stay")
    return Plan(base, changes)


def is_worth_it(rows: int, changes: Changes, session: dt.date) -> bool:
    """Say whether so few of a base's rows change that going on is less work than starting anew."""
    first_days = changes.symbols["first_session_date"].to_pylist()
    days = sum(max((session - first).days, 1) for first in first_days)
    return days * _SESSIONS_PER_DAY <= _LARGEST_SHARE * rows


def full_plan() -> Plan:
    """Return the plan of a build that shall go on from none."""
    return Plan(None, everything("asked for"))


def rejections_of(settings: Settings, manifest: Manifest) -> dict[str, pa.Table]:
    """Return, per raw dataset, the verdicts of a manifest that count: those not released.

    Raises
    ------
    LakeError
        A file is missing or damaged.
    """
    released = releases(settings, manifest.paths("releases"))
    return {
        table.name: declared(
            unreleased(
                read_verdicts(settings, table, manifest.paths("quarantine", table)),
                released,
                table,
            ),
            quarantined(table),
        ).combine_chunks()
        for table in RAW
    }


def read_rejected(build: Path) -> Mapping[str, pa.Table]:
    """Return the verdicts that counted in a build, as it kept them."""
    return {
        table.name: pq.read_table(build / REJECTED_FOLDER / f"{table.name}.parquet")
        for table in RAW
    }


def _full(reason: str) -> Plan:
    return Plan(None, everything(reason))


def _newest(settings: Settings, manifest: Manifest, code_digest: str) -> WarehouseBuild | None:
    found = []
    for path in finished_builds(settings):
        if not is_of_code(path.name, code_digest):
            continue  # other releases may have kept other records
        try:
            build = read_build(path)
        except WarehouseError as error:
            logger.warning("passing over a build: %s", error)
            continue
        if (
            (build.source, build.code_digest) == (manifest.source, code_digest)
            and build.session_date <= manifest.session_date
            and build.known_at_cut <= manifest.known_at_cut
        ):
            found.append(build)
    return max(found, key=lambda build: (build.session_date, build.known_at_cut), default=None)
