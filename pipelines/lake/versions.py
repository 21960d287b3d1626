"""Bitemporal rows: what a reader of them sees, and what in a delivery is new.

A row's *version* is its ``known_at``; its *entity* is the declared key without it. A reader of
session *s* with cut *k* sees, of each entity with ``session_date <= s``, the newest version with
``known_at <= k``.
"""

import datetime as dt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from pipelines.lake.rows import canonical, changes, codes
from pipelines.lake.summary import SESSION, VERSION

Mask = npt.NDArray[np.bool_]

NOT_COMPARED = (VERSION, "known_at_basis", "ingest_session", "adjusted_return_1d")
"""A row that differs in nothing but these says nothing new."""


def entity_of(table: Table) -> tuple[str, ...]:
    """Return the key without the version and, in quarantine, without the rule."""
    return table.key[: table.key.index(VERSION)]


def within(
    rows: pa.Table, table: Table, session: dt.date | None, known_at: dt.datetime | None
) -> pa.Table:
    """Return the rows within both cuts; None does not cut."""
    masks = []
    if known_at is not None:
        moment = pa.scalar(known_at, pa.timestamp("us", tz="UTC"))
        masks.append(pc.less_equal(rows[VERSION], moment))
    if session is not None and SESSION in table.column_names:
        masks.append(pc.less_equal(rows[SESSION], pa.scalar(session, pa.date32())))
    for mask in masks[1:]:
        masks[0] = pc.and_(masks[0], mask)
    if not masks or pc.all(masks[0]).as_py():
        return rows
    return rows.filter(masks[0])


def newest_versions(rows: pa.Table, table: Table) -> pa.Table:
    """Keep, of each entity, the rows with the largest ``known_at``; encoded, in canonical order.

    Rows that are alike in every column are one row. Two rows of one entity with the same
    ``known_at`` are both returned; quality rejects such.
    """
    ordered = canonical(rows, table)
    if ordered.num_rows == 0:
        return ordered
    entity = [codes(ordered[name]) for name in entity_of(table)]
    starts = changes(entity)
    if starts.all():
        return ordered
    known_at = codes(ordered[VERSION])
    last_of_group = np.append(np.flatnonzero(starts)[1:], len(starts)) - 1
    newest = known_at[last_of_group][np.cumsum(starts) - 1]
    kept = known_at == newest
    if not starts[kept].all():
        kept &= changes([codes(ordered[name]) for name in table.column_names])
    return ordered.filter(pa.array(kept))


def changed_rows(delivered: pa.Table, stored: pa.Table, table: Table) -> tuple[Mask, Mask]:
    """Say of each delivered row whether its entity changed, and whether it was stored before.

    An entity is unchanged when its delivered and its stored rows are the same set of values. A
    row that is delivered twice, alike in every value, counts once.

    Parameters
    ----------
    delivered : canonical rows.
    stored : the newest version of each entity that may be among the delivered ones.
    """
    entity = entity_of(table)
    values = [name for name in table.column_names if name not in (*entity, *NOT_COMPARED)]
    if stored.num_rows == 0:
        new = changes([codes(delivered[name]) for name in entity])
        if not new.all():
            new = _first_of_equals(delivered, entity, values)
        return new, np.zeros(delivered.num_rows, dtype=bool)
    return _against(delivered, stored, entity, values)


def new_vintages(delivered: pa.Table, stored: pa.Table, table: Table) -> Mask:
    """Say of each row that its source dated whether no stored row has its key and values.

    Parameters
    ----------
    stored : all stored versions of the entities that may be among the delivered ones.
    """
    names = [name for name in table.column_names if name not in NOT_COMPARED] + [VERSION]
    both = _stacked(delivered, stored)
    columns = [codes(both[name]) for name in names]
    is_stored = np.arange(both.num_rows) >= delivered.num_rows
    order = np.lexsort([~is_stored, *reversed(columns)])
    starts = changes([column[order] for column in columns])
    new = np.zeros(both.num_rows, dtype=bool)
    new[order] = starts & ~is_stored[order]
    return new[: delivered.num_rows]


def is_among(rows: pa.Table, others: pa.Table, key: tuple[str, ...]) -> Mask:
    """Say of each row whether another table has its key."""
    if others.num_rows == 0 or rows.num_rows == 0:
        return np.zeros(rows.num_rows, dtype=bool)
    # Rows come with plain text or encoded; what they are compared with is the smaller part.
    mine = rows.select(key)
    both = pa.concat_tables([mine, others.select(key).cast(mine.schema)])
    both = both.unify_dictionaries().combine_chunks()
    columns = [codes(both[name]) for name in key]
    order = np.lexsort(columns[::-1])
    group = np.empty(both.num_rows, dtype=np.int64)
    group[order] = np.cumsum(changes([column[order] for column in columns])) - 1
    return np.isin(group[: rows.num_rows], group[rows.num_rows :])


def _against(
    delivered: pa.Table, stored: pa.Table, entity: tuple[str, ...], values: list[str]
) -> tuple[Mask, Mask]:
    both = _stacked(delivered, stored)
    columns = {name: codes(both[name]) for name in (*entity, *values)}
    is_delivered = np.arange(both.num_rows) < delivered.num_rows
    order = np.lexsort([~is_delivered, *(columns[name] for name in reversed(tuple(columns)))])
    entity_starts = changes([columns[name][order] for name in entity])
    row_starts = entity_starts | changes([columns[name][order] for name in values])
    entity_id, row_id = np.cumsum(entity_starts) - 1, np.cumsum(row_starts) - 1

    from_delivery = is_delivered[order]
    row_delivered = np.bincount(row_id, weights=from_delivery) > 0
    row_stored = np.bincount(row_id, weights=~from_delivery) > 0
    differs = np.bincount(entity_id[row_starts], weights=row_delivered != row_stored) > 0
    was_stored = np.bincount(entity_id, weights=~from_delivery) > 0

    # Sorted delivered-first, so a run's first row is delivered if any row of the run is.
    changed = np.empty(both.num_rows, dtype=bool)
    changed[order] = differs[entity_id] & row_starts
    known = np.empty(both.num_rows, dtype=bool)
    known[order] = was_stored[entity_id]
    return changed[: delivered.num_rows], known[: delivered.num_rows]


def _first_of_equals(rows: pa.Table, entity: tuple[str, ...], values: list[str]) -> Mask:
    columns = [codes(rows[name]) for name in (*entity, *values)]
    order = np.lexsort(columns[::-1])
    first = np.empty(rows.num_rows, dtype=bool)
    first[order] = changes([column[order] for column in columns])
    return first


def _stacked(delivered: pa.Table, stored: pa.Table) -> pa.Table:
    both = pa.concat_tables([delivered, stored.select(delivered.column_names)])
    return both.unify_dictionaries().combine_chunks()
