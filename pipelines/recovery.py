"""Which errors are worth another attempt, ours and those of the libraries below us."""

import errno
import re
from collections.abc import Iterable, Iterator

from pipelines import errors
from pipelines.errors import Recovery, SmartInvestError

_PASSING_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EMFILE,
    errno.ENFILE,
    errno.EAGAIN,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.ETIMEDOUT,
    errno.ESTALE,
    errno.EIO,
}
_PASSING_CLASSES = {
    # By name, since none of them is worth an import here.
    "httpx.TransportError",
    "requests.exceptions.ConnectionError",
    "requests.exceptions.Timeout",
    "urllib3.exceptions.HTTPError",
    "redis.exceptions.ConnectionError",
    "redis.exceptions.TimeoutError",
    "kombu.exceptions.OperationalError",
    "botocore.exceptions.ConnectionError",
    "botocore.exceptions.HTTPClientError",
}
_LOST_CONNECTION = re.compile(
    r"server closed the connection|terminating connection|connection (?:was |is )?(?:refused|reset|"
    r"lost|closed)|could not connect|the database system is|connection timeout|no space left",
    re.IGNORECASE,
)

_BUCKET_AWAY = re.compile(
    r"AWS Error (?:NETWORK_CONNECTION|SLOW_DOWN|SERVICE_UNAVAILABLE|REQUEST_TIMEOUT)|curlCode: "
)


def recovery_of(error: BaseException) -> Recovery:
    """Return what another attempt at the same needs, by the error and what it came from.

    The first of our own errors in the chain decides, since it was written by somebody who knew;
    where it leaves it to chance, what it came from may still be of the kind that passes.
    """
    chain = list(chain_of(error))
    own = next((each for each in chain if isinstance(each, SmartInvestError)), None)
    if own is not None and own.recovery is not Recovery.BY_CHANCE:
        return own.recovery
    return Recovery.BY_WAITING if any(passes(each) for each in chain) else Recovery.BY_CHANCE


def recovery_of_output(lines: Iterable[str]) -> Recovery:
    """Return what another attempt needs after a command of ours said its last lines.

    It names the class of its error at the beginning of a line.
    """
    for line in reversed(list(lines)):
        known = getattr(errors, line.partition(":")[0].strip(), None)
        if isinstance(known, type) and issubclass(known, SmartInvestError):
            return known.recovery
    return Recovery.BY_CHANCE


def passes(error: BaseException) -> bool:
    """Say whether an error that is not ours is of the kind that passes: no room, no answer."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and (
        error.errno in _PASSING_ERRNOS or _BUCKET_AWAY.search(str(error))
    ):
        return True
    classes = type(error).__mro__
    if _PASSING_CLASSES & {f"{one.__module__}.{one.__qualname__}" for one in classes}:
        return True
    is_of_database = {"DatabaseError", "InterfaceError"} & {one.__name__ for one in classes}
    return bool(is_of_database) and _LOST_CONNECTION.search(str(error)) is not None


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, then what it came from, back to the first, hidden (``from None``) or not."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__
