"""Which raw files were checked, and under which rules: one marker each, written after the verdict.

A build refuses a file without a marker, so unchecked rows never reach a portfolio.
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from models.declaration import Table
from pipelines.lake.parquet import write_text
from pipelines.lake.raw import dataset_files
from pipelines.lineage import canonical_json
from pipelines.settings import Settings

_RULE_DIGITS = 16


def unchecked_files(settings: Settings, table: Table, rules: str) -> list[Path]:
    """Return the raw files of a dataset that were not checked under these rules.

    Parameters
    ----------
    rules : digest of the rules that a check applies.
    """
    folder = _folder(settings, table) / rules[:_RULE_DIGITS]
    return [
        path for path in dataset_files(settings, table) if not (folder / _marker(path)).exists()
    ]


def is_checked(settings: Settings, table: Table, path: Path) -> bool:
    """Say whether a raw file was checked, under today's rules or earlier ones."""
    return any(_folder(settings, table).glob(f"*/{_marker(path)}"))


def mark_checked(
    settings: Settings, table: Table, rules: str, session: dt.date, paths: Iterable[Path]
) -> None:
    """Remember that raw files were checked; call it once their rejections are written."""
    folder = _folder(settings, table) / rules[:_RULE_DIGITS]
    for path in paths:
        content = {"file": path.relative_to(settings.lake), "session_date": session}
        write_text(canonical_json(content), folder / _marker(path))


def _folder(settings: Settings, table: Table) -> Path:
    return settings.lake / "checks" / table.name / f"source={settings.source.value}"


def _marker(path: Path) -> str:
    return f"{path.stem}.json"
