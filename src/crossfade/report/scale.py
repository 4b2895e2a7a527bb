"""Where round numbers lie on an axis."""

import math
from collections.abc import Sequence

_STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)


def round_top(highest: float, *, binary: bool = False) -> float:
    """The round number at or above `highest`; 1 when that is not positive.

    Round is 1, 2, 2.5 or 5 times a power of ten; `binary`: a power of two, which is round in bytes.
    """
    if highest <= 0:
        return 1.0
    if binary:
        return float(2.0 ** math.ceil(math.log2(highest) - 1e-9))
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= highest * (1 - 1e-9))


def ticks(top: float, at_most: int = 5, *, binary: bool = False) -> tuple[float, ...]:
    """Round numbers from 0 to `top`, evenly apart, no more than `at_most` + 1."""
    step = round_top(top / at_most, binary=binary)
    return tuple(i * step for i in range(int(top / step + 1e-9) + 1))


def time_ticks(first: float, last: float, at_most: int = 8) -> tuple[float, ...]:
    """Seconds between `first` and `last` on whole seconds, minutes or hours, no more than `at_most` + 1."""
    span = last - first
    step = next(
        (s for s in _STEPS_SECONDS if span / s <= at_most), _STEPS_SECONDS[-1] * math.ceil(span / 86400 / at_most)
    )
    start = math.ceil(first / step)
    return tuple(float(i * step) for i in range(start, int(last // step) + 1))


def decades(lowest: float, highest: float) -> tuple[float, ...]:
    """Powers of ten from the one at or below `lowest` to the one at or above `highest`; both positive."""
    first, last = math.floor(math.log10(lowest) + 1e-9), math.ceil(math.log10(highest) - 1e-9)
    return tuple(10.0**power for power in range(first, max(last, first + 1) + 1))


def clipped_top(values: Sequence[float], *, binary: bool = False) -> float:
    """The top of an axis on which single peaks do not flatten all else: at most some four times the 98th percentile.

    `ticks` divide it evenly.
    """
    if not values:
        return 1.0
    ordered = sorted(values)
    usual = ordered[min(len(ordered) - 1, int(0.98 * len(ordered)))]
    wanted = min(ordered[-1], 4 * usual) if usual > 0 else ordered[-1]
    if wanted <= 0:
        return 1.0
    step = round_top(wanted / 5, binary=binary)
    return step * math.ceil(wanted / step - 1e-9)
