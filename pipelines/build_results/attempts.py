"""Records of builds: written once when one has ended, read by people, few enough to keep.

They lie beside the builds: under the home, or in the lake where machines share it, since who shows
them need not be who built.
"""

import datetime as dt
import logging
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Self

from pydantic import TypeAdapter, ValidationError

from pipelines.build_results.nodes import NodeResult
from pipelines.errors import LakeError, WarehouseError
from pipelines.handed_on import Files, HomeFiles, handed_on
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

KEPT_ATTEMPTS = 100
"""Of all sessions; each takes some 100 kB."""

_THREADS = 8
"""Records read at once from a bucket, which takes its time for each."""
_MOMENT = "%Y%m%dT%H%M%S%fZ"
_ATTEMPT = re.compile(r"\d{8}T\d{12}Z")


@dataclass(frozen=True)
class BuildAttempt:
    """One build of the warehouse that was begun, whether it was published or not.

    Parameters
    ----------
    build : the name that the build has, or would have had.
    started_by : the id of the Airflow run that asked for it; empty for a person at a terminal.
    plan : what it computes anew, and which build it goes on from.
    problem : why nothing was published; None where everything passed.
    output : dbt's last lines, where it failed outside of any node.
    """

    source: str
    session_date: dt.date
    data_snapshot: str
    build: str
    code_digest: str
    started_by: str
    started_at: dt.datetime
    plan: str = ""
    ended_at: dt.datetime | None = None
    problem: str | None = None
    output: tuple[str, ...] = ()
    nodes: tuple[NodeResult, ...] = field(default=(), repr=False)

    @property
    def attempt_id(self) -> str:
        """The name of its record among those of its session; later ones sort later."""
        return self.started_at.strftime(_MOMENT)

    @property
    def passed(self) -> bool:
        """Whether every model and test passed."""
        return self.problem is None

    @property
    def problem_outside_of_dbt(self) -> str | None:
        """Why nothing was published, where no node failed and dbt said nothing of it."""
        is_dbts = self.output or any(node.failed for node in self.nodes)
        return None if is_dbts else self.problem

    @property
    def seconds(self) -> float:
        """How long it took, from laying out the inputs to dbt's end or an earlier failure."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else 0.0

    def with_rows_of_marts(self, rows: Mapping[str, int]) -> Self:
        """Return it with the rows of marts, by name: those of views are counted last."""
        nodes = (
            replace(node, rows=rows.get(node.name, node.rows)) if _is_mart(node) else node
            for node in self.nodes
        )
        return replace(self, nodes=tuple(nodes))


def _is_mart(node: NodeResult) -> bool:
    return node.kind == "model" and node.layer == "marts"


def keep(settings: Settings, attempt: BuildAttempt) -> None:
    """Write a record and remove the oldest ones.

    A record that cannot be written is said in the log and lost: it must not stand in the way of a
    build, nor hide why one failed.
    """
    path = _path(settings, attempt.session_date, attempt.attempt_id)
    try:
        place = handed_on(settings)
        place.write(path, _adapter().dump_json(attempt))
        for old in _newest_files(settings)[KEPT_ATTEMPTS:]:
            place.delete(old)
    except LakeError as error:
        logger.warning("the results of the build cannot be kept: %s", error)


def newest_attempts(settings: Settings) -> list[BuildAttempt]:
    """Return all records of all sessions, newest first.

    Raises
    ------
    LakeError
        The place where they are kept cannot be read; so with the functions below.
    """
    return _read_all(settings, _newest_files(settings))


def attempts_of(settings: Settings, session: dt.date) -> list[BuildAttempt]:
    """Return the records of a session's builds, newest first."""
    folder = f"{_folder(settings)}/{session.isoformat()}"
    return _read_all(settings, reversed(handed_on(settings).files(folder, ".json")))


def attempt_behind(
    settings: Settings, session: dt.date, error: WarehouseError
) -> BuildAttempt | None:
    """Return the record of the build that raised an error; None if it came from elsewhere."""
    newest = next(iter(attempts_of(settings, session)), None)
    return newest if newest is not None and newest.problem == str(error) else None


def attempt_of_build(settings: Settings, session: dt.date, build: str) -> BuildAttempt | None:
    """Return the record of how a finished build was made; None if it is not kept any more."""
    found = (attempt for attempt in attempts_of(settings, session) if attempt.build == build)
    return next((attempt for attempt in found if attempt.passed), None)


def read_attempt(settings: Settings, session: dt.date, attempt_id: str) -> BuildAttempt:
    """Return one record.

    Parameters
    ----------
    attempt_id : may come from anywhere, such as an address that somebody typed.

    Raises
    ------
    WarehouseError
        There is no such record; old ones are removed.
    """
    path = _path(settings, session, attempt_id)
    attempt = _read(handed_on(settings), path) if _ATTEMPT.fullmatch(attempt_id) else None
    if attempt is None:
        raise WarehouseError(
            "build of the warehouse",
            f"{session} {attempt_id}",
            "no results are kept of it",
            f"The newest {KEPT_ATTEMPTS} are: smartinvest warehouse results.",
        )
    return attempt


def _folder(settings: Settings) -> str:
    if settings.shares_lake:
        return f"warehouse/source={settings.source.value}/results"
    return "warehouse/results"


def _path(settings: Settings, session: dt.date, attempt_id: str) -> str:
    return f"{_folder(settings)}/{session.isoformat()}/{attempt_id}.json"


def _newest_files(settings: Settings) -> list[str]:
    files = handed_on(settings).files(_folder(settings), ".json")
    return sorted(files, key=lambda path: path.rpartition("/")[2], reverse=True)


def _read_all(settings: Settings, paths: Iterable[str]) -> list[BuildAttempt]:
    place = handed_on(settings)
    if isinstance(place, HomeFiles):
        return [attempt for path in paths if (attempt := _read(place, path))]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [attempt for attempt in pool.map(lambda path: _read(place, path), paths) if attempt]


def _read(place: Files, path: str) -> BuildAttempt | None:
    """Read a record; None where another release wrote it, or retention was faster."""
    try:
        return _adapter().validate_json(place.read_bytes(path))
    except (ValidationError, FileNotFoundError) as error:
        logger.info("the record %s cannot be read: %s", path, error)
        return None


@cache
def _adapter() -> TypeAdapter[BuildAttempt]:
    return TypeAdapter(BuildAttempt)
