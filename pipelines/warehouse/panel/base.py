"""Read the panel of the build that this one goes on from."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.warehouse.panel.layout import Span, span_of
from pipelines.warehouse.panel.parts import Part
from pipelines.warehouse.panel.rows import (
    TEXT,
    Array,
    Rows,
    Words,
    dtype_of,
    from_arrow,
    plain,
)
from pipelines.warehouse.record import LAST_BARS_FILE, PANEL_FOLDER, PARTS_FILE

_FEW = 256
"""Up to so many symbols, row groups without any of them are skipped."""


@dataclass(frozen=True)
class Base:
    """A finished build's panel: its folder, and its parts by name."""

    folder: Path
    parts: Mapping[str, Part]

    @classmethod
    def of(cls, build: Path) -> Self:
        """Open the panel of a build; parts without rows are left out."""
        listed = json.loads((build / PARTS_FILE).read_text("utf-8"))
        parts = [replace(Part(**part), written=False) for part in listed if part["rows"]]
        return cls(build, {part.name: part for part in parts})

    @cached_property
    def spans(self) -> list[Span]:
        """The days of each part, oldest first."""
        return sorted((span_of(name) for name in self.parts), key=lambda span: span.begin)

    def last_bars(self) -> pa.Table:
        """Return the rows of ``int_last_bar``."""
        return pq.read_table(self.folder / LAST_BARS_FILE)

    def rows(self, name: str, words: Words) -> Rows:
        """Return all rows of a part."""
        return from_arrow(pq.read_table(self._path(name), read_dictionary=list(TEXT)), words)

    def link(self, name: str, folder: Path) -> Part:
        """Put the file of a part into another folder too."""
        try:
            os.link(self._path(name), folder / name)
        except OSError:  # another file system, or one without links
            shutil.copyfile(self._path(name), folder / name)
        return self.parts[name]

    def newest_bars(
        self, wanted: Mapping[str, int], columns: Sequence[str]
    ) -> tuple[npt.NDArray[np.int64], dict[str, Array]]:
        """Return the newest bars of some symbols, by symbol and session.

        Parameters
        ----------
        wanted : how many of each symbol, sorted; no more than it has.
        columns : numbers and dates of the panel.

        Returns
        -------
        The position of each row's symbol among those wanted, and the columns.
        """
        left = np.array(list(wanted.values()), np.int64)
        found: list[tuple[npt.NDArray[np.int64], pa.Table]] = []
        for span in reversed(self.spans):
            if (left <= 0).all():
                break
            codes, table = self._some_rows(span.name, list(wanted), columns)
            left -= np.bincount(codes, minlength=len(left))
            found.insert(0, (codes, table))
        if not found:
            return np.empty(0, np.int64), {name: np.empty(0, dtype_of(name)) for name in columns}
        codes = np.concatenate([of for of, _ in found])
        # Few codes are sorted by counting them.
        order = np.argsort(codes.astype(np.min_scalar_type(len(wanted))), kind="stable")
        codes = codes[order]
        ends = np.cumsum(np.bincount(codes, minlength=len(wanted)))
        age = ends[codes] - np.arange(len(codes)) - 1
        is_wanted = age < np.array(list(wanted.values()))[codes]
        order = order[is_wanted]
        table = pa.concat_tables([rows for _, rows in found])
        return codes[is_wanted], {name: plain(table[name])[order] for name in columns}

    def _some_rows(
        self, name: str, symbols: Sequence[str], columns: Sequence[str]
    ) -> tuple[npt.NDArray[np.int64], pa.Table]:
        """Return the rows of some symbols in a part, and whose they are."""
        few = None if len(symbols) > _FEW else pc.field("symbol").isin(symbols)
        table = pq.read_table(
            self._path(name), columns=["symbol", *columns], filters=few, read_dictionary=["symbol"]
        )
        column = table["symbol"].combine_chunks()
        place = pc.index_in(column.dictionary, pa.array(symbols, pa.string())).fill_null(-1)
        codes = np.asarray(place).astype(np.int64)[np.asarray(column.indices)]
        is_one = codes >= 0
        if is_one.all():
            return codes, table
        return codes[is_one], table.filter(pa.array(is_one))

    def _path(self, name: str) -> Path:
        return self.folder / PANEL_FOLDER / name
