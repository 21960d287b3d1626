"""Which raw files were checked, and under which rules; written after their verdicts.

    checks/<dataset>/source=<source>/rules=<digest>/<digest>.json    one per checked batch of files
    checks/<dataset>/source=<source>/current.json                    the rules in force

A build refuses a file that was not checked under the rules in force, so unchecked rows never reach
a portfolio.
"""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from models.declaration import Table
from pipelines.errors import LakeError
from pipelines.lake.catalogue import dataset_folder
from pipelines.lake.files import dataset_files
from pipelines.lake.storage import Storage, storage
from pipelines.lineage import canonical_json, json_digest
from pipelines.settings import Settings

RULE_DIGITS = 16


def unchecked_files(settings: Settings, table: Table, rules: str) -> list[str]:
    """Return the raw files of a dataset that were not checked under these rules.

    Parameters
    ----------
    rules : digest of the rules that a check applies.
    """
    checked = checked_files(settings, table, rules)
    return [path for path in dataset_files(settings, table) if path not in checked]


def checked_files(settings: Settings, table: Table, rules: str | None = None) -> frozenset[str]:
    """Return the raw files that were checked under some rules; those in force if None."""
    return frozenset().union(*(mark.files for mark in _marks(settings, table, rules)))


def filed_verdicts(settings: Settings, table: Table) -> frozenset[str]:
    """Return the files of verdicts that checks under the rules in force wrote."""
    return frozenset().union(*(mark.verdicts for mark in _marks(settings, table, None)))


def mark_checked(
    settings: Settings,
    table: Table,
    rules: str,
    session: dt.date,
    paths: Iterable[str],
    verdicts: Iterable[str] = (),
) -> None:
    """Remember that raw files were checked, and in which files their rejections are.

    Call it once those are written. These rules are then the ones in force.
    """
    place = storage(settings)
    content = {"files": sorted(paths), "session_date": session}
    if filed := sorted(verdicts):
        content["verdicts"] = filed
    if content["files"]:
        name = json_digest(content)[:RULE_DIGITS]
        path = f"{_folder(settings, table)}/{rules_folder(rules)}/{name}.json"
        place.write(path, canonical_json(content).encode())
    if rules_in_force(settings, table) != rules[:RULE_DIGITS]:
        text = canonical_json({"rules": rules[:RULE_DIGITS]})
        place.write(f"{_folder(settings, table)}/current.json", text.encode())


def rules_in_force(settings: Settings, table: Table) -> str | None:
    """Return the digest of the rules that the last check applied; None before the first."""
    path = f"{_folder(settings, table)}/current.json"
    try:
        return str(json.loads(storage(settings).read(path).to_pybytes())["rules"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None


def rules_folder(rules: str) -> str:
    """Return the folder of what belongs to some rules."""
    return f"rules={rules[:RULE_DIGITS]}"


@dataclass(frozen=True)
class _Mark:
    """What one check remembered: raw files, and the files of the verdicts on them."""

    files: frozenset[str]
    verdicts: frozenset[str]


def _marks(settings: Settings, table: Table, rules: str | None) -> list[_Mark]:
    rules = rules or rules_in_force(settings, table)
    if rules is None:
        return []
    place = storage(settings)
    folder = f"{_folder(settings, table)}/{rules_folder(rules)}"
    return [_mark(place, path) for path in place.files(folder, ".json")]


@lru_cache(maxsize=1 << 14)
def _mark(place: Storage, path: str) -> _Mark:
    try:
        content = json.loads(place.read(path).to_pybytes())
        return _Mark(frozenset(content["files"]), frozenset(content.get("verdicts", ())))
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None


def _folder(settings: Settings, table: Table) -> str:
    return dataset_folder(settings, "checks", table)


def _damaged(path: str) -> LakeError:
    return LakeError(
        "lake file",
        path,
        "its text is not what was written",
        "Restore it from a backup, or remove it and run `smartinvest ingest` again.",
    )
