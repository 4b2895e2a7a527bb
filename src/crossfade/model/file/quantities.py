"""Durations, sizes, rates and percents: text in the file, numbers with a known unit in the program.

Each parser takes the value as YAML gave it and raises a `PydanticCustomError` whose context holds the remedy.
"""

import re
from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {"B": 1} | {
    prefix + unit: base**power
    for base, unit in ((1000, "B"), (1024, "iB"))
    for power, prefix in enumerate("KMGTP", start=1)
}
_BITS_PER_SECOND = {"bps": 1, "Kbps": 10**3, "Mbps": 10**6, "Gbps": 10**9}

_DURATION = r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)"
_AMOUNT = r"(\d{1,15}(?:\.\d{1,6})?)"
_SIZE = rf"{_AMOUNT}\s?({'|'.join(_BYTES)})"
_BANDWIDTH = rf"{_AMOUNT}\s?({'|'.join(_BITS_PER_SECOND)})"
_PERCENT = rf"{_AMOUNT}\s?%"

_LONGEST = timedelta(days=3650)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _refuse(kind: str, value: object, remedy: str) -> PydanticCustomError:
    """A fault of a quantity; a bare number is the usual slip and gets its own words."""
    problem = "{value} has no unit" if _is_number(value) else "is not a {kind}"
    return PydanticCustomError(kind.replace(" ", "_"), problem, {"kind": kind, "value": str(value), "remedy": remedy})


def parse_duration(value: object) -> timedelta:
    """`500ms`, `15m`, `24h`, `7d`, `1h30m`: a duration of at least zero and at most ten years."""
    if isinstance(value, timedelta):
        return value
    if value == 0 and not isinstance(value, bool):
        return timedelta(0)
    if not isinstance(value, str) or not re.fullmatch(rf"(?:{_DURATION})+", value, re.ASCII):
        raise _refuse("duration", value, "write a number with ms, s, m, h or d, such as 15m, 24h or 500ms")
    parts = re.findall(_DURATION, value, re.ASCII)
    milliseconds = sum(Decimal(number) * _MILLISECONDS[unit] for number, unit in parts)
    if milliseconds > _LONGEST // timedelta(milliseconds=1):
        raise PydanticCustomError("duration", "is longer than ten years", {"remedy": "write a shorter duration"})
    return timedelta(microseconds=int(milliseconds * 1000))


def duration_text(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads as the same duration, in the largest units that fit."""
    rest, text = Decimal(value // timedelta(microseconds=1)) / 1000, ""
    for unit in ("d", "h", "m", "s"):
        whole = int(rest // _MILLISECONDS[unit])
        # A day is written as hours by people who plan a bake: 24h, but 7d.
        if whole and not (unit == "d" and (whole == 1 or rest % _MILLISECONDS["d"])):
            text += f"{whole}{unit}"
            rest -= whole * _MILLISECONDS[unit]
    if rest:
        text += f"{rest.normalize():f}ms"
    return text or "0s"


def parse_size(value: object) -> int:
    """`500GB` (decimal) or `64MiB` (binary): whole bytes."""
    if isinstance(value, str) and (match := re.fullmatch(_SIZE, value, re.ASCII)):
        return int(Decimal(match[1]) * _BYTES[match[2]])
    raise _refuse("size", value, "write a number with B, KB, MB, GB, TB or PB (or KiB, MiB …), such as 500GB")


def size_text(value: int) -> str:
    """The shortest exact text that `parse_size` reads as the same number of bytes."""
    for unit, factor in sorted(_BYTES.items(), key=lambda item: -item[1]):
        if value and value % factor == 0:
            return f"{value // factor}{unit}"
    return f"{value}B"


def parse_bandwidth(value: object) -> int:
    """`500Mbps` or `1Gbps`: bits a second."""
    if isinstance(value, str) and (match := re.fullmatch(_BANDWIDTH, value, re.ASCII)):
        return int(Decimal(match[1]) * _BITS_PER_SECOND[match[2]])
    raise _refuse("bandwidth", value, "write a number with Kbps, Mbps or Gbps, such as 500Mbps")


def bandwidth_text(value: int) -> str:
    """The shortest exact text that `parse_bandwidth` reads as the same rate."""
    unit, factor = next((u, f) for u, f in sorted(_BITS_PER_SECOND.items(), key=lambda i: -i[1]) if value % f == 0)
    return f"{value // factor}{unit}"


def parse_percent(value: object) -> float:
    """`5%` or 5: a percent from 0 to 100."""
    if isinstance(value, str) and (match := re.fullmatch(_PERCENT, value, re.ASCII)):
        value = float(match[1])
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise PydanticCustomError("percent", "is not a percent", {"remedy": "write a number from 0 to 100, or 5%"})
    if not 0 <= value <= 100:
        raise PydanticCustomError(
            "percent", "{value} is not between 0 and 100", {"value": f"{value:g}", "remedy": "write 0 to 100"}
        )
    return float(value)


def parse_time_of_day(value: object) -> time:
    """`"22:00"`: hours and minutes of a day, in quotes because YAML reads it as a number otherwise."""
    if isinstance(value, time):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value, re.ASCII)):
        return time(int(match[1]), int(match[2]))
    remedy = 'write hours and minutes in quotes, such as "22:00"'
    raise PydanticCustomError("time_of_day", "is not a time of day", {"remedy": remedy})


def _above_zero(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise PydanticCustomError("duration", "must be above zero", {"remedy": "write a duration such as 30s"})
    return value


def _percent_above_zero(value: object) -> float:
    percent = parse_percent(value)
    if percent <= 0:
        raise PydanticCustomError("percent", "must be above 0", {"remedy": "write more than 0, up to 100"})
    return percent


def _text_schema(kind: str, pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": list(examples), "x-kind": kind})


_DURATION_SCHEMA = _text_schema("duration", rf"(?:{_DURATION})+", "500ms", "15m", "24h")

Duration = Annotated[
    timedelta, PlainValidator(parse_duration), PlainSerializer(duration_text, return_type=str), _DURATION_SCHEMA
]
"""A duration of zero or more."""

Span = Annotated[
    timedelta,
    PlainValidator(lambda value: _above_zero(parse_duration(value))),
    PlainSerializer(duration_text, return_type=str),
    _DURATION_SCHEMA,
]
"""A duration above zero."""

Size = Annotated[
    int,
    PlainValidator(parse_size),
    PlainSerializer(size_text, return_type=str),
    _text_schema("size", _SIZE, "64MB", "500GB", "2TB"),
]
"""A number of bytes."""

Bandwidth = Annotated[
    int,
    PlainValidator(parse_bandwidth),
    PlainSerializer(bandwidth_text, return_type=str),
    _text_schema("bandwidth", _BANDWIDTH, "500Mbps", "1Gbps"),
]
"""Bits a second."""

_PERCENT_SCHEMA = WithJsonSchema(
    {
        "anyOf": [{"type": "number", "minimum": 0, "maximum": 100}, {"type": "string", "pattern": f"^{_PERCENT}$"}],
        "x-kind": "percent",
    }
)

Percent = Annotated[float, PlainValidator(parse_percent), _PERCENT_SCHEMA]
"""0 to 100."""

PositivePercent = Annotated[float, PlainValidator(_percent_above_zero), _PERCENT_SCHEMA]
"""Above 0, at most 100."""

TimeOfDay = Annotated[
    time,
    PlainValidator(parse_time_of_day),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
    _text_schema("time of day", r"([01]\d|2[0-3]):([0-5]\d)", "22:00"),
]

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Port = Annotated[int, Field(ge=1, le=65_535)]
