"""The code that makes builds: its digest is a part of a build's name."""

from functools import cache
from importlib.metadata import version

from pipelines.lineage import REPOSITORY, file_digest, json_digest, tree_digest

_CODE = ("dbt", "models", "pipelines/lake", "pipelines/warehouse")
_CODE_SUFFIXES = (".sql", ".yml", ".py")
_CODE_FILES = ("pipelines/macro_series.csv", "pipelines/macro_series.py", "pipelines/sessions.py")
"""What lies outside of those folders and decides on what a build says."""
_LIBRARIES = ("duckdb", "exchange-calendars", "llvmlite", "numba", "numpy", "pyarrow")
"""What makes bits and bytes besides our own code; another release of one makes another build."""


@cache
def code_digest() -> str:
    """Return the SHA-256 of the SQL, our code around it and the libraries' versions, in hex."""
    libraries = [(name, version(name)) for name in _LIBRARIES]
    files = [(name, file_digest(REPOSITORY / name)) for name in _CODE_FILES]
    return json_digest([tree_digest(REPOSITORY, _CODE, _CODE_SUFFIXES), files, libraries])
