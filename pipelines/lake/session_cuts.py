"""What the runs of all past sessions knew, by the rule of ``known_at_cut``, for one manifest.

What files say of themselves decides nearly all of it. Rows are read only of files that hold
something observed on sessions of which no summary proves that their bars were known in time.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import PRICES, RAW
from models.vocabulary import KnownAtBasis
from pipelines.lake.catalogue import LakeFile, landed_files
from pipelines.lake.files import read_rows
from pipelines.lake.manifest import Manifest
from pipelines.lake.rows import codes
from pipelines.lake.summary import SESSION, VERSION, microseconds
from pipelines.settings import Settings

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_INGEST = "ingest_session"


def known_at_cuts(
    settings: Settings, manifest: Manifest, days: Integers, available: Integers
) -> Integers:
    """Return the cut in knowledge of the run of each session up to a manifest's own.

    As :func:`known_at_cut`, from the manifest's files, and told nothing that came after its own
    cut, which is that of its own session.

    Parameters
    ----------
    days : the exchange's sessions as days since 1970-01-01, ascending; the manifest's is the last.
    available : moment from which each one's bars count as known, in microseconds since 1970 (UTC).

    Raises
    ------
    LakeError
        A file is missing or damaged.

    Notes
    -----
    A bar that counts as known by assumption is one since its own session; that is not looked up.
    """
    last = microseconds(manifest.known_at_cut)
    own = available.copy()
    for table in RAW:
        for file in _files(settings, manifest, table):
            _move_by_own_ingest(settings, table, file, days, own, last)
    own[-1] = last
    prices = _files(settings, manifest, PRICES)
    late = _without_timely_bars(settings, prices, days, own, last)
    _move_by_overtaking_ingest(settings, prices, days, own, last, late)
    return own


def _files(settings: Settings, manifest: Manifest, table: Table) -> list[LakeFile]:
    named = set(manifest.paths("raw", table))
    return [file for file in landed_files(settings, "raw", table) if file.path in named]


def _move_by_own_ingest(
    settings: Settings, table: Table, file: LakeFile, days: Integers, own: Integers, last: int
) -> None:
    """Let a session know what its own ingest observed."""
    summary = file.summary
    if summary.observed_until is None:
        return
    if summary.ingest_session is not None and summary.observed_until <= last:
        ingests, moments = np.array([summary.ingest_session]), np.array([summary.observed_until])
    else:
        rows = read_rows(settings, table, [file], [VERSION, "known_at_basis", _INGEST])
        basis = rows["known_at_basis"]
        is_observed = np.asarray(pc.equal(basis, KnownAtBasis.OBSERVED.value), dtype=bool)
        ingests, moments = codes(rows[_INGEST]), codes(rows[VERSION])
        seen = is_observed & (moments <= last)
        ingests, moments = ingests[seen], moments[seen]
    at, is_session = _positions(days, ingests)
    np.maximum.at(own, at[is_session], moments[is_session])


def _without_timely_bars(
    settings: Settings, prices: Sequence[LakeFile], days: Integers, own: Integers, last: int
) -> Mask:
    """Mark sessions whose bars, all of them, became known after the session's own cut.

    First by what files say of the sessions on their edges, then by the rows of files that hold
    observed ones, then by those of the others.
    """
    timely = np.zeros(len(days), bool)
    for file in prices:
        latest = (file.summary.last_day, file.summary.last_known_at)
        edges = np.array([file.summary.frontier[0], latest])
        at, is_session = _positions(days, edges[:, 0])
        known = is_session & (edges[:, 1] <= own[at])
        timely[at[known]] = True
    found = np.zeros(len(days), bool)
    for is_observed in (True, False):
        for file in prices:
            if (file.summary.observed_until is not None) is not is_observed:
                continue
            begin, end = _span(days, file)
            doubtful = ~timely[begin:end] if is_observed else (found & ~timely)[begin:end]
            if not doubtful.any():
                continue
            rows = read_rows(settings, PRICES, [file], [SESSION, VERSION])
            at, known_at = _visible(rows, days, last)
            found[at] |= is_observed
            timely[at[known_at <= own[at]]] = True
    return found & ~timely


def _move_by_overtaking_ingest(
    settings: Settings,
    prices: Sequence[LakeFile],
    days: Integers,
    own: Integers,
    last: int,
    late: Mask,
) -> None:
    """Let a session know what the ingest that first brought its bars brought of them."""
    if not late.any():
        return
    holding = [file for file in prices if late[slice(*_span(days, file))].any()]
    rows = read_rows(settings, PRICES, holding, [SESSION, VERSION, _INGEST])
    at, known_at = _visible(rows, days, last)
    ingests = codes(rows[_INGEST])[_is_visible(rows, days, last)]
    for position in np.flatnonzero(late).tolist():
        moments, brought_by = known_at[at == position], ingests[at == position]
        own[position] = moments[brought_by == brought_by[np.argmin(moments)]].max()


def _positions(days: Integers, wanted: Integers) -> tuple[npt.NDArray[np.intp], Mask]:
    """Return where days are among the sessions, and whether they are there at all."""
    at = np.minimum(np.searchsorted(days, wanted), len(days) - 1)
    return at, days[at] == wanted


def _span(days: Integers, file: LakeFile) -> tuple[int, int]:
    """Return the first of the sessions that a file's rows lie between, and the one after them."""
    first, end = np.searchsorted(days, [file.summary.first_day, file.summary.last_day + 1])
    return int(first), int(end)


def _is_visible(rows: pa.Table, days: Integers, last: int) -> Mask:
    return _positions(days, codes(rows[SESSION]))[1] & (codes(rows[VERSION]) <= last)


def _visible(rows: pa.Table, days: Integers, last: int) -> tuple[npt.NDArray[np.intp], Integers]:
    """Return the session's position and the moment of the rows known by the last cut."""
    kept = _is_visible(rows, days, last)
    at, _ = _positions(days, codes(rows[SESSION])[kept])
    return at, codes(rows[VERSION])[kept]
