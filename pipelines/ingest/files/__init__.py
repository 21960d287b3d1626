"""The ``files`` source: a user's own folder of CSV or Parquet files (docs/files.md).

folder     what lies in it
columns    how columns are spelled
dates      how days are written
header     a file's first line
few        a few plain lines to rows
delimited  text to rows, and lines that are none
reading    a file of any kind to rows
contents   which symbols and days a file holds
arrivals   what is in the lake already
taking     what is new of one file
bars       rows to bars and actions
reference  instruments, universe, actions and macro series
provider   the source as ingest sees it
"""

from pipelines.ingest.files.provider import FilesProvider

__all__ = ["FilesProvider"]
