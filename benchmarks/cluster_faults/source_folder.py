"""The bundled sample as a folder of files: a source that can be taken down."""

import datetime as dt
import shutil
from pathlib import Path

import pyarrow.csv as pacsv

from pipelines.ingest.sample import SampleProvider

_FIRST = dt.date(2008, 1, 1)
"""Later than the sample begins: enough to train on, and half the work."""


def write_source(folder: Path) -> None:
    """Write the sample's later closes as one long table, and its instruments."""
    folder.mkdir(parents=True)
    sample = SampleProvider()
    symbols = sample.batches(sample.newest_session())[0]
    closes = sample.deliver(symbols, _FIRST, sample.newest_session()).prices
    wanted = ["symbol", "session_date", "close", "price_basis"]
    pacsv.write_csv(closes.select(wanted), folder / "closes.csv")
    pacsv.write_csv(sample.instruments(), folder / "instruments.csv")


def take_down(folder: Path) -> None:
    """Let the source be gone, as a server that does not answer."""
    folder.rename(_away(folder))


def bring_back(folder: Path) -> None:
    """Let it answer again."""
    if _away(folder).exists():
        shutil.rmtree(folder, ignore_errors=True)
        _away(folder).rename(folder)


def _away(folder: Path) -> Path:
    return folder.with_name(folder.name + ".away")
