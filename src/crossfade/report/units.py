"""Numbers with their units, as a person reads them: short, and never more exact than they are."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_SIXTY = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

Scalar = str | int | float | bool | None


def say_count(count: float) -> str:
    """12,345; one decimal only below ten, and only if it says something."""
    return f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"


def say_milliseconds(ms: float) -> str:
    """0.4 ms, 3.4 ms, 340 ms; seconds from one second on."""
    if abs(ms) >= 999.5:
        return say_duration(timedelta(milliseconds=ms))
    return f"{ms:.0f} ms" if abs(ms) >= 99.5 or ms == int(ms) else f"{ms:.1f} ms"


def say_duration(duration: timedelta) -> str:
    """340 ms, 4.2 s, 3 min 20 s, 2 h 5 min, 4 d 3 h: at most two units."""
    seconds = duration.total_seconds()
    if seconds < 0:
        return f"-{say_duration(-duration)}"
    if seconds < 0.9995:
        return say_milliseconds(seconds * 1000) if seconds else "0 s"
    if seconds < 59.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for size, unit in _SIXTY:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count)


def say_bytes(size: float) -> str:
    """512 B, 3.2 MiB; binary units."""
    place = 0
    while abs(size) >= 1024 and place < len(_BINARY) - 1:
        size, place = size / 1024, place + 1
    return f"{size:.0f} {_BINARY[place]}" if size >= 100 or size == int(size) else f"{size:.1f} {_BINARY[place]}"


def say_percent(percent: float) -> str:
    """25 %, 0.12 %: two significant digits below ten."""
    return f"{percent:.0f} %" if percent >= 10 or percent == int(percent) else f"{percent:.2g} %"


def say_clock(duration: timedelta) -> str:
    """Time since a start: 0:07, 12:30, 1:05:00."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def say_utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def say_fact(name: str, value: Scalar) -> tuple[str, str]:
    """A fact of an event as label and text; the unit is taken from the end of the name (`_ms`, `_bytes` …)."""
    if value is None or isinstance(value, bool):
        return _label(name), {None: "unknown", True: "yes", False: "no"}[value]
    if isinstance(value, str):
        return _label(name), value
    for ending, say in _ENDINGS.items():
        if name.endswith(ending):
            return _label(name.removesuffix(ending) or name), say(value)
    return _label(name), say_number(value)


def _label(name: str) -> str:
    return "e-value" if name == "e_value" else name.replace("_", " ")


def say_number(value: float) -> str:
    """A plain number of unknown size: 12,345 · 3.14 · 0.00021."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _say_fraction(fraction: float) -> str:
    return say_percent(fraction * 100)


def _say_seconds(seconds: float) -> str:
    return say_duration(timedelta(seconds=seconds))


_ENDINGS: Mapping[str, Callable[[float], str]] = {
    "_ms": say_milliseconds,
    "_seconds": _say_seconds,
    "_bytes": say_bytes,
    "_percent": say_percent,
    "_rate": _say_fraction,
    "share": _say_fraction,
}
