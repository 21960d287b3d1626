"""What a source could not deliver, filed in the lake as it was received.

    problems/source=<source>/session_date=<s>/<digest>.json

One file per batch that had any; each problem names its thing, the reason, the remedy and the text
that could not be understood, so that nothing that a source said is lost.
"""

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import asdict

from pipelines.errors import LakeError
from pipelines.ingest.provider import Problem
from pipelines.lake import storage
from pipelines.lineage import canonical_json, json_digest
from pipelines.settings import Settings

_NAME_DIGITS = 16


def store_problems(settings: Settings, session: dt.date, problems: Collection[Problem]) -> None:
    """File problems of a session's ingest; the same ones are filed once.

    Raises
    ------
    LakeError
        The lake cannot be written.
    """
    if not problems:
        return
    content = [asdict(problem) for problem in problems]
    path = f"{_folder(settings, session)}/{json_digest(content)[:_NAME_DIGITS]}.json"
    storage(settings).write(path, canonical_json(content).encode())


def problems_of(settings: Settings, session: dt.date) -> list[Problem]:
    """Return the problems that a session's ingests filed, by thing.

    Raises
    ------
    LakeError
        A file of them is damaged.
    """
    place = storage(settings)
    found: dict[Problem, None] = {}
    for path in place.files(_folder(settings, session), ".json"):
        try:
            for one in json.loads(place.read(path).to_pybytes()):
                found[Problem(**{**one, "rows": tuple(one["rows"])})] = None
        except (ValueError, KeyError, TypeError):
            raise LakeError(
                "lake file",
                path,
                "its text is not what was written",
                "Remove it and run `smartinvest ingest` again.",
            ) from None
    return sorted(found, key=lambda problem: (problem.thing, problem.reason))


def _folder(settings: Settings, session: dt.date) -> str:
    return f"problems/source={settings.source.value}/session_date={session.isoformat()}"
