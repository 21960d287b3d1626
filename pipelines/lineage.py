"""Digests that identify files, code, configuration and runs."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
_CODE = ("dbt", "expectations", "ml", "models", "pipelines")
_CODE_SUFFIXES = {".py", ".sql", ".yml", ".csv"}
_CHUNK_BYTES = 1 << 20


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def canonical_json(value: Any) -> str:
    """Return the one JSON text that stands for a value: sorted keys, no spaces, ISO dates."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def json_digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hex."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def tree_digest(root: Path, folders: Iterable[str], suffixes: Iterable[str]) -> str:
    """Return the SHA-256 over the paths and bytes of all matching files, in hex."""
    wanted = set(suffixes)
    files = sorted(
        path
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.suffix in wanted and path.is_file() and not _is_generated(path, root)
    )
    return json_digest([(path.relative_to(root).as_posix(), file_digest(path)) for path in files])


@cache
def code_version() -> str:
    """Return the release and the digest of the code and the locked libraries that make results."""
    code = tree_digest(REPOSITORY, _CODE, _CODE_SUFFIXES)
    lock = REPOSITORY / "requirements.lock"
    libraries = file_digest(lock) if lock.is_file() else ""
    return f"{version('smartinvest')}+{json_digest([code, libraries])[:12]}"


@dataclass(frozen=True)
class RunIdentity:
    """Everything that determines what a run advises; equal identities give equal bytes.

    ``history_hash`` stands for the runs published for earlier sessions: drift is measured from
    their targets.
    """

    source: str
    session_date: dt.date
    data_snapshot: str
    feature_hash: str
    model_name: str
    model_version: int
    mlflow_run_id: str
    config_hash: str
    history_hash: str
    code_version: str

    @property
    def run_id(self) -> str:
        """The run's key: a digest of the identity, 32 hex digits."""
        return json_digest(asdict(self))[:32]


def _plain(value: Any) -> str:
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no canonical JSON form: {value!r}")


def _is_generated(path: Path, root: Path) -> bool:
    parts = set(path.relative_to(root).parts)
    return bool(parts & {"target", "logs", "dbt_packages", "__pycache__"})
