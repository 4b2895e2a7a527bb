"""The ladder: by which shares users move to the modern servers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

LONG_STOP = 90.0
"""Whatever the increments, the rollout stops here and bakes longer. Source: REQUIREMENTS B2."""


class LadderStep(NamedTuple):
    """A share of users in percent, and how long it is held and judged at least."""

    percent: float
    bake: timedelta


def rising_shares(*, start: float, step: float) -> tuple[float, ...]:
    """From `start` by `step`, with a stop at 90, to 100.

    The shares rise strictly, each by at most `step` (the first by `start`), and end at 100.
    Raises ValueError unless 0 < start <= 100 and step > 0.
    """
    if not 0 < start <= 100 or not step > 0:
        raise ValueError(f"no ladder starts at {start} and rises by {step}")
    shares, share = [], start
    while share < 100:
        shares.append(share)
        following = round(share + step, 6)
        if following <= share:
            raise ValueError(f"a step of {step} is too small")
        share = LONG_STOP if share < LONG_STOP < following else min(following, 100.0)
    return (*shares, 100.0)


def listed_shares(stops: Sequence[float]) -> tuple[float, ...]:
    """The listed stops, in order, with those at 90 and 100 added where they are missing."""
    return tuple(sorted({*stops, LONG_STOP, 100.0}))


def rises(shares: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Each share with the one before it, the first with 0."""
    return tuple(zip((0.0, *shares), shares, strict=False))


def with_bakes(shares: Sequence[float], *, bake: timedelta, long_bake: timedelta) -> tuple[LadderStep, ...]:
    """Each share with its bake time: `long_bake` at 90, else `bake`."""
    return tuple(LadderStep(share, long_bake if share == LONG_STOP else bake) for share in shares)
