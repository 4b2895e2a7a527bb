"""Numbers within tolerance, and instants in whatever form they are written."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

Number = int | float | Decimal

_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_MILLISECONDS_FROM = 1e11  # as seconds that is the year 5138, as milliseconds 1973
_LAST = 4e15


def is_close(left: Number, right: Number, relative: float, absolute: float) -> bool:
    """Whether two numbers are equal, or differ by at most `absolute`, or by `relative` of the larger one.

    NaN is equal to NaN here: the question is whether the answers are the same. Infinity is close to itself alone.
    """
    if left == right or (left != left and right != right):  # noqa: PLR0124 - NaN alone differs from itself
        return True
    if not relative and not absolute and type(left) is type(right):
        return False
    try:
        a, b = Decimal(str(left)), Decimal(str(right))  # as they are written: 10.02 and 10.01 are 0.01 apart
        if a == b or not (a.is_finite() and b.is_finite()):
            return a == b
        return abs(a - b) <= max(Decimal(str(relative)) * max(abs(a), abs(b)), Decimal(str(absolute)))
    except ArithmeticError:  # beyond what decimals can hold
        return False


def instant(value: object) -> datetime | None:
    """The instant that a value names, in UTC; None if it names none.

    Understood are ISO 8601 and RFC 3339 with their variants (a blank for T, no seconds, commas, short offsets; without
    an offset UTC is meant), the dates of HTTP and mail (RFC 9110, RFC 5322), and seconds or milliseconds since 1970.
    """
    try:
        if isinstance(value, str):
            return _of_text(value.strip())
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and 0 <= value < _LAST:
            seconds = float(value) / (1000 if value >= _MILLISECONDS_FROM else 1)
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, TypeError):
        return None
    return None


def _of_text(text: str) -> datetime | None:
    if (found := _ISO.fullmatch(text)) is None:
        read = parsedate_to_datetime(text)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    microseconds = int((fraction or "0").ljust(6, "0")[:6])
    read = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), microseconds, tzinfo=UTC)
    return read - _offset(offset)


def _offset(text: str | None) -> timedelta:
    if text is None or text.upper() in {"Z", "UTC"}:
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return away if text[0] == "+" else -away


def same_instant(left: object, right: object, tolerance: timedelta) -> bool:
    """Whether both values name instants at most `tolerance` apart."""
    first, second = instant(left), instant(right)
    return first is not None and second is not None and abs(first - second) <= tolerance
