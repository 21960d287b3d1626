"""Dates as files write them."""

import pyarrow as pa
import pyarrow.compute as pc

_ISO = r"^(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?:[T ].*)?$"
_COMPACT = r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})$"
_YEAR_FIRST = r"^(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})$"
_MONTH_FIRST = r"^(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})$"
_DAY_FIRST = r"^(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})$"


class AmbiguousDatesError(ValueError):
    """Dates with slashes can be read as month first and as day first."""


def as_dates(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the days that texts name; what is no date becomes null.

    Understood are ``2019-08-29``, with a time or an offset behind it too (the day counts as it is
    written), ``20190829``, ``2019/08/29`` and ``08/29/2019`` or ``29/08/2019``.

    Raises
    ------
    AmbiguousDatesError
        Dates with slashes can be read as month first and as day first.
    """
    parsed = [_parsed(text, form) for form in (_ISO, _COMPACT, _YEAR_FIRST)]
    return pc.coalesce(*parsed, _slashed(text))


def _slashed(text: pa.ChunkedArray) -> pa.ChunkedArray:
    month_first, day_first = _parsed(text, _MONTH_FIRST), _parsed(text, _DAY_FIRST)
    if month_first.null_count == day_first.null_count and not month_first.equals(day_first):
        raise AmbiguousDatesError(
            "its dates can be read as month first and as day first; write YYYY-MM-DD"
        )
    return month_first if month_first.null_count <= day_first.null_count else day_first


def _parsed(text: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    parts = pc.extract_regex(text, form)
    year, month, day = (pc.struct_field(parts, name) for name in "ymd")
    iso = pc.binary_join_element_wise(
        year, pc.utf8_lpad(month, 2, "0"), pc.utf8_lpad(day, 2, "0"), "-"
    )
    parsed = pc.strptime(iso, "%Y-%m-%d", unit="s", error_is_null=True)
    # It takes 31 February for 2 March.
    exists = pc.equal(pc.strftime(parsed, "%Y-%m-%d"), iso)
    return pc.if_else(exists, parsed, pa.scalar(None, parsed.type)).cast(pa.date32())
