"""How old the newest row of each source was when a build was cut: dbt's source freshness."""

import datetime as dt
import json
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.lake import RAW
from pipelines.errors import WarehouseError
from pipelines.lake import Manifest
from pipelines.settings import Settings
from pipelines.warehouse import dbt_build
from pipelines.warehouse.base import full_plan, rejections_of
from pipelines.warehouse.changes import Inputs
from pipelines.warehouse.inputs import lay_out


@dataclass(frozen=True)
class SourceFreshness:
    """One source's age at a build's cut, and when it would be late.

    Attributes
    ----------
    status : ``pass``, ``warn``, ``error``, or ``never delivered``.
    newest_known_at : when its newest row became known; None where it never had one.
    """

    source: str
    status: str
    newest_known_at: dt.datetime | None
    age: dt.timedelta | None
    warn_after: dt.timedelta
    error_after: dt.timedelta


def source_freshness(settings: Settings, manifest: Manifest) -> list[SourceFreshness]:
    """Let dbt measure the freshness of the files that a build reads, as of its cut.

    They are laid out in a folder of their own, which is removed again.

    Raises
    ------
    LakeError
        A file of the manifest is missing or damaged.
    WarehouseError
        dbt failed.
    """
    inputs = Inputs(manifest, rejections_of(settings, manifest))
    with tempfile.TemporaryDirectory(dir=settings.warehouse, prefix="freshness-") as folder:
        workspace = Path(folder)
        lay_out(settings, inputs, full_plan(), workspace)
        measured = dbt_build.source_freshness(settings, workspace)
        results = json.loads(measured.read_text("utf-8"))["results"]
    delivered = {f"lake.{table.name}" for table in RAW if manifest.paths("raw", table)}
    return [_freshness(result, delivered) for result in results]


def _freshness(result: dict[str, Any], delivered: Collection[str]) -> SourceFreshness:
    name = ".".join(result["unique_id"].split(".")[-2:])
    if result["status"] == "runtime error":
        raise WarehouseError(
            "source",
            name,
            f"its freshness cannot be measured ({result['error']})",
            "See the log of dbt under the home's logs.",
        )
    limits = [_period(result["criteria"][limit]) for limit in ("warn_after", "error_after")]
    if name not in delivered:
        return SourceFreshness(name, "never delivered", None, None, *limits)
    newest = dt.datetime.fromisoformat(result["max_loaded_at"])
    age = dt.timedelta(seconds=result["max_loaded_at_time_ago_in_s"])
    return SourceFreshness(name, result["status"], newest, age, *limits)


def _period(threshold: dict[str, Any]) -> dt.timedelta:
    return dt.timedelta(**{f"{threshold['period']}s": threshold["count"]})
