"""Digests tell values apart and nothing else."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from pipelines.rebalance.output.digests import rows_digest

COLUMNS = {
    "text": pa.array(["a", None, "", "bc"]),
    "number": pa.array([1, None, 0, -1]),
    "fraction": pa.array([0.5, None, 0.0, -1.0]),
    "truth": pa.array([True, None, False, True]),
    "date": pa.array([dt.date(2020, 1, 2), None, dt.date(1970, 1, 1), dt.date(1960, 1, 1)]),
}


def digest(**changes: pa.Array) -> str:
    return rows_digest({"table": pa.table(COLUMNS | changes)})


def test_chunks_slices_and_what_lies_under_nulls_change_no_digest() -> None:
    whole = pa.table(COLUMNS)
    padded = pa.concat_tables([whole.slice(3), whole, whole]).combine_chunks().slice(1, 4)
    under_null = pa.Array.from_buffers(
        pa.int64(), 4, [COLUMNS["number"].buffers()[0], pa.py_buffer(np.array([1, 7, 0, -1]))]
    )
    assert under_null.equals(COLUMNS["number"])
    assert (
        digest()
        == rows_digest({"table": padded})
        == rows_digest({"table": pa.concat_tables([whole.slice(0, 2), whole.slice(2)])})
        == digest(number=under_null)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"text": pa.array(["a", "", "", "bc"])},
        {"text": pa.array(["a", None, "b", "c"])},
        {"number": pa.array([1, 0, None, -1])},
        {"number": pa.array([1, 0, 0, -1])},
        {"fraction": pa.array([0.5, None, 0.0, np.nextafter(-1.0, 0)])},
        {"truth": pa.array([True, None, True, True])},
        {"date": pa.array([None, None, None, None], pa.date32())},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_any_other_value_changes_the_digest(changes: dict[str, pa.Array]) -> None:
    assert digest(**changes) != digest()


def test_tables_without_rows_have_a_digest_that_names_them() -> None:
    empty = pa.table(COLUMNS).slice(0, 0)
    assert rows_digest({"one": empty}) != rows_digest({"two": empty})
