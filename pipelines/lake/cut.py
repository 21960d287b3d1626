"""The cut in knowledge: up to which moment a run of a session knows things."""

import datetime as dt

import numpy as np

from models.lake import PRICES, RAW
from pipelines.lake.catalogue import LakeFile, landed_files
from pipelines.lake.files import read_rows
from pipelines.lake.rows import codes
from pipelines.lake.summary import SESSION, VERSION, day_number, microseconds, moment_of
from pipelines.sessions import available_at
from pipelines.settings import Settings


def known_at_cut(settings: Settings, session: dt.date) -> dt.datetime:
    """Return the moment (UTC) up to which a run of a session knows things.

    It is the moment from which the session's bars count as known, or that of the last version
    that the session's own ingest observed, of any raw dataset, if later. So an ingest for a
    session refreshes what its run knows, and an ingest for a later one changes nothing of that.

    A session may have been overtaken: its bars first came with the ingest of a later session,
    and its own then found nothing to add. Then the cut is that of the ingest that brought them.
    """
    day = day_number(session)
    newest = microseconds(available_at(session))
    for table in RAW:
        for file in landed_files(settings, "raw", table):
            summary = file.summary
            if summary.ingest_session == day and summary.observed_until is not None:
                newest = max(newest, summary.observed_until)
    overtaken = _first_arrival(settings, day, newest)
    return moment_of(max(newest, overtaken))


def _first_arrival(settings: Settings, day: int, cut: int) -> int:
    """Return when the ingest that first brought a session's bars had them all; 0 if by the cut."""
    files = [
        file
        for file in landed_files(settings, "raw", PRICES)
        if file.summary.first_day <= day <= file.summary.last_day
    ]
    if any(_surely_holds(file, day, cut) for file in files):
        return 0
    rows = read_rows(settings, PRICES, files, [SESSION, VERSION, "ingest_session"])
    of_session = codes(rows[SESSION]) == day
    known_at = codes(rows[VERSION])[of_session]
    if len(known_at) == 0 or known_at.min() <= cut:
        return 0
    ingests = codes(rows["ingest_session"])[of_session]
    return int(known_at[ingests == ingests[np.argmin(known_at)]].max())


def _surely_holds(file: LakeFile, day: int, cut: int) -> bool:
    """Say whether a file's summary alone proves that it has a bar of a day known by a cut."""
    summary = file.summary
    on_an_edge = day == summary.last_day or (day, summary.frontier[0][1]) == summary.frontier[0]
    return on_an_edge and summary.last_known_at <= cut
