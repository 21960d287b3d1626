"""The place of a lake: its URL opened as a file system, and what its errors mean to a user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from models.credentials import without_credentials
from pipelines.errors import LakeError, LakeUnavailableError, SettingError
from pipelines.lake.conditional import has_credentials
from pipelines.recovery import passes

_SETTING = "setting SMARTINVEST_LAKE_URL"


def opened(url: str, folder: Path) -> tuple[pafs.FileSystem, str, str, Path | None]:
    """Open the place that a URL names.

    Parameters
    ----------
    url : a folder, ``file://...`` or ``s3://...``; empty for the default.
    folder : the default.

    Returns
    -------
    The file system, the URL, the lake's path in the file system, and the folder of a local lake;
    None of a remote one.

    Raises
    ------
    SettingError
        The URL is of no kind that we know, or not well-formed.
    """
    if "://" not in url:
        local = Path(url).expanduser().absolute() if url else folder
        return pafs.LocalFileSystem(), str(local), str(local), local
    scheme = urlsplit(url).scheme
    if scheme not in ("s3", "file"):
        raise SettingError(
            _SETTING,
            without_credentials(url),
            f"{scheme}:// is no place for a lake",
            "Give a folder or s3://bucket/prefix.",
        )
    try:
        filesystem, root = pafs.FileSystem.from_uri(url)
    except (pa.ArrowInvalid, OSError) as error:
        raise SettingError(
            _SETTING,
            without_credentials(url),
            f"it cannot be opened ({str(error).splitlines()[0].rstrip('.')})",
            "Give a folder or s3://bucket/prefix?region=...&endpoint_override=...",
        ) from None
    if scheme == "file":
        return filesystem, root, root, Path(root)
    return filesystem, url, root.rstrip("/"), None


@contextmanager
def explained(path: str, verb: str, bucket_url: str | None) -> Iterator[None]:
    """Raise an error of the lake in place of one of the file system; leave a missing file's.

    Parameters
    ----------
    path : of the file, as a user may see it.
    verb : what was to be done, such as ``read`` or ``written``.
    bucket_url : of a remote lake; None of a local one.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        cause = error.strerror or str(error).splitlines()[0].rstrip(".")
        lacking = "" if bucket_url is None else _lacking(bucket_url)
        kind = LakeUnavailableError if passes(error) else LakeError
        raise kind(
            "lake",
            path,
            f"it cannot be {verb} ({cause}{lacking})",
            "Mend its permissions or make room on the disk; nothing was changed."
            if bucket_url is None
            else "Check SMARTINVEST_LAKE_URL, the AWS_* variables and the network.",
        ) from None


def _lacking(bucket_url: str) -> str:
    """Say what a bucket's error does not: that nobody gave any credentials."""
    if "@" in urlsplit(bucket_url).netloc or has_credentials():
        return ""
    return "; no credentials are set: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
