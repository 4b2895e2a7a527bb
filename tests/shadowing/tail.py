"""Whether requests with a shadow are slower in their tail, where it matters: a rank test that no load can bend.

Each pair is one request with a shadow and one without, right after each other in random order. If the shadow does
nothing, it is a coin which of the two was the slower, also in the slowest pairs, and whatever else the computer does:
a stall strikes one as often as the other.
"""

import math
from collections.abc import Sequence

SLOWEST = 0.01
"""The part of the pairs that is looked at: what decides a 99th percentile."""
COPYING_S = 0.2
"""What is no slowness: where one computer does everything, collector and servers take their time for a copy, too, and
others take theirs of the processor before it goes on.

A request that waited for the answer would take as long as the timeout, which tests set to seconds.
"""

Pair = tuple[float, float]
"""Seconds with a shadow, seconds without."""


def tail_is_slower(pairs: Sequence[Pair]) -> bool:
    """Whether in each of the slowest pairs the request with a shadow was the slower one.

    A shadow that does nothing is found guilty with a chance of 2 to the minus `SLOWEST` times the pairs; one that holds
    up two percent of the requests, or more, by longer than all else does, is nearly always.
    """
    slowest = sorted(pairs, key=max, reverse=True)[: math.ceil(SLOWEST * len(pairs))]
    return all(shadowed > alone + COPYING_S for shadowed, alone in slowest)
