"""Objects of a bucket that are created only where none is: pyarrow's S3 has no conditional write.

Several machines write the same pointers, and a bucket has neither locks nor renaming. What S3 has
is ``If-None-Match: *``, which refuses to replace.
"""

from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.errors import LakeError, LakeUnavailableError
from pipelines.recovery import passes

_CONFLICTS = 5
"""How often another writer of the same name may be under way before we give up."""
_REMEDY = "Check SMARTINVEST_LAKE_URL, the AWS_* variables and the network."


def create_object(url: str, region: str, path: str, content: bytes) -> bool:
    """Write an object that is not there yet; return whether it was ours that came to be.

    Parameters
    ----------
    url : of the lake, which may carry credentials and the server's address.
    path : of the object: bucket and key.

    Raises
    ------
    LakeUnavailableError
        Its server does not answer, or cannot now.
    LakeError
        The bucket cannot be written, or its server knows no conditional writes.
    """
    if not _put(url, region, path, content):
        return False
    _require_conditions(url, region, path, content)
    return True


def has_credentials() -> bool:
    """Say whether the environment, or the machine's role, gives any credentials for buckets."""
    import boto3

    return boto3.Session().get_credentials() is not None


@cache
def _proved() -> set[str]:
    return set()


def _require_conditions(url: str, region: str, path: str, content: bytes) -> None:
    """Check once per process that the server refuses to replace: an old one ignores the header."""
    if url in _proved():
        return
    if _put(url, region, path, content):
        raise LakeError(
            "lake",
            path,
            "its server replaces objects although it is told not to (If-None-Match)",
            "Use a server with conditional writes, such as S3 itself or a newer MinIO.",
        )
    _proved().add(url)


def _put(url: str, region: str, path: str, content: bytes) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = path.partition("/")
    for _ in range(_CONFLICTS):
        try:
            _client(url, region).put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
        except (ClientError, BotoCoreError) as error:
            status = _status(error)
            if status == 412:
                return False
            if status != 409:  # another write of the name is under way
                cause = str(error).splitlines()[0].rstrip(".")
                kind = LakeUnavailableError if passes(error) or status >= 500 else LakeError
                raise kind("lake", path, f"it cannot be written ({cause})", _REMEDY) from None
        else:
            return True
    raise LakeError("lake", path, "others are writing it again and again", "Run it again.")


def _status(error: Exception) -> int:
    """Return the server's HTTP status; 0 where it did not answer."""
    answer = getattr(error, "response", {})
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@lru_cache(maxsize=8)
def _client(url: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    endpoint = options.get("endpoint_override")
    if endpoint and "://" not in endpoint:
        endpoint = f"{options.get('scheme', 'https')}://{endpoint}"
    return boto3.client(
        "s3",
        region_name=region or None,
        endpoint_url=endpoint,
        aws_access_key_id=unquote(parts.username) if parts.username else None,
        aws_secret_access_key=unquote(parts.password) if parts.password else None,
        # Servers of one's own rarely have a host name per bucket.
        config=Config(s3={"addressing_style": "path" if endpoint else "auto"}),
    )
