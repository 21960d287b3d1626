"""What a source could not deliver, filed in the lake as it was received.

    problems/source=<source>/session_date=<s>/<digest>.json

One file per batch that had any; each problem names its thing, the reason, the remedy and the text
that could not be understood, so that nothing that a source said is lost.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict

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
    folder = f"problems/source={settings.source.value}/session_date={session.isoformat()}"
    path = f"{folder}/{json_digest(content)[:_NAME_DIGITS]}.json"
    storage(settings).write(path, canonical_json(content).encode())
