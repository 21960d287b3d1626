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
    from_arrow,
    plain,
)
from pipelines.warehouse.panel.staged import FEW_SYMBOLS
from pipelines.warehouse.record import LAST_BARS_FILE, PANEL_FOLDER, PARTS_FILE

Integers = npt.NDArray[np.int64]


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

    def put_newest_bars(
        self, wanted: Mapping[str, int], ends: Integers, columns: Mapping[str, Array]
    ) -> None:
        """Put the newest bars of some symbols where a batch has room for them, oldest first.

        Parameters
        ----------
        wanted : how many of each symbol, sorted; no more than it has.
        ends : (symbols,), the row after each symbol's room.
        columns : numbers and dates of the panel, to be filled.
        """
        left, ends = np.array(list(wanted.values()), np.int64), ends.copy()
        for span in reversed(self.spans):
            if not left.any():
                return
            codes, table = self._some_rows(span.name, list(wanted), list(columns))
            counts = np.bincount(codes, minlength=len(left))
            from_end = np.cumsum(counts)[codes] - np.arange(len(codes))
            is_wanted = from_end <= left[codes]
            rows = (ends[codes] - from_end)[is_wanted]
            for name, column in columns.items():
                column[rows] = plain(table[name])[is_wanted]
            taken = np.minimum(counts, left)
            left -= taken
            ends -= taken

    def _some_rows(
        self, name: str, symbols: Sequence[str], columns: Sequence[str]
    ) -> tuple[Integers, pa.Table]:
        """Return the rows of some symbols in a part, and whose they are."""
        names, few = ["symbol", *columns], len(symbols) <= FEW_SYMBOLS
        if few:
            condition = pc.field("symbol").isin(symbols)
            table = pq.read_table(self._path(name), columns=names, filters=condition)
        else:
            file = pq.ParquetFile(self._path(name), memory_map=True, read_dictionary=["symbol"])
            table = file.read(names)
        column = table["symbol"].combine_chunks()
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        place = pc.index_in(column.dictionary, pa.array(symbols, pa.string())).fill_null(-1)
        codes = np.asarray(place).astype(np.int64)[np.asarray(column.indices)]
        is_one = codes >= 0
        if is_one.all():
            return codes, table
        return codes[is_one], table.filter(pa.array(is_one))

    def _path(self, name: str) -> Path:
        return self.folder / PANEL_FOLDER / name
