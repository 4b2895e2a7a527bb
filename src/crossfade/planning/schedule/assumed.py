"""What nobody told and the durations need: triangular distributions, each with its reason.

Three numbers are what people can judge: the least, the likely, the most. A triangle says no more than they do.
Source: Malcolm et al., Application of a Technique for Research and Development Program Evaluation (PERT), 1959, for
three estimates; Johnson, The Triangular Distribution as a Proxy for the Beta Distribution in Risk Analysis, 1997.
"""

import random
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from crossfade.planning.schedule.amounts import Terms
from crossfade.planning.schedule.records import Assumed

SEED, TRIALS = 7, 1000
Floats = npt.NDArray[np.float64]

LINK_SHARE, LINK_PAYLOAD, GROWTH, FILLED = "link share", "link payload", "growth", "filled part of disks"
UNSIZED, CHANGE, RESENT = "size of a server", "changes in a day", "changes that cross the link"
TABLES, READING, INDEXING = "tables in a database", "reading of a copy worker", "building of indexes"
VERIFYING, LAUNCH, CHECKS, EVIDENCE = "verification", "launch of instances", "checks", "wait for evidence"
PEOPLE, PREPARING, SWITCH = "approval in the window", "preparation", "switch"

_HEADERS = "headers of TCP and TLS"
_JUDGED = "judgement; measure it, and plan again"


def assumptions(terms: Terms) -> tuple[Assumed, ...]:
    """All that are made under these terms, always in the same order."""
    path = "connectivity.vpn.bandwidth" if terms.over_vpn else "connectivity.direct_connect.bandwidth"
    payload = (0.80, 0.90, 0.93) if terms.over_vpn else (0.88, 0.93, 0.95)
    why = (
        f"{_HEADERS} and of IPsec: a packet of 1,446 bytes carries 1,406 of TCP (AWS Site-to-Site VPN user guide)"
        if terms.over_vpn
        else f"{_HEADERS}: a frame of 1,538 bytes on the line carries 1,460 of TCP (RFC 894, RFC 9293)"
    )
    most = terms.switch_at_most / timedelta(seconds=1)
    return (
        _one(LINK_SHARE, (0.3, 0.5, 0.7), "of the link", "users and backups need the rest; half, as `crossfade risks`"),
        _one(LINK_PAYLOAD, payload, "of its bits", why, path),
        _one(GROWTH, (1.0, 1.05, 1.2), "times", "data grows until it is copied; judgement"),
        _one(FILLED, (0.3, 0.6, 1.0), "of the capacity", f"only capacity is told; {_JUDGED}"),
        _one(UNSIZED, (20e9, 80e9, 300e9), "bytes", f"nothing is told; {_JUDGED}"),
        _one(CHANGE, (0.01, 0.03, 0.1), "of the data", f"no change rate is told; {_JUDGED}"),
        _one(RESENT, (0.5, 0.8, 1.0), "of what was measured", "a block written again before it is sent crosses once"),
        _one(TABLES, (0.5, 0.7, 0.95), "of its size", "indexes and free space do not cross the link"),
        _one(READING, (10e6, 30e6, 60e6), "bytes a second", f"one COPY of PostgreSQL; {_JUDGED}"),
        _one(INDEXING, (20e6, 60e6, 150e6), "bytes a second", f"after the full load; {_JUDGED}"),
        _one(
            VERIFYING,
            (40e6, 120e6, 220e6),
            "bytes a second",
            "220 MB/s a core at rest, measured; under writes up to five times as long (docs/verification.md)",
        ),
        _one(LAUNCH, (600, 1200, 3600), "seconds", "conversion and start of MGN's instances; judgement"),
        _one(CHECKS, (60, 180, 600), "seconds", "each time that a side is checked; judgement"),
        _one(EVIDENCE, (1.0, 1.1, 2.0), "times", "the judge holds a share longer than its bake where little comes"),
        _one(PEOPLE, (0, 300, 1800), "seconds", "an approval that is asked for while the window is open; judgement"),
        _one(PREPARING, (6 * 3600, 86_400, 5 * 86_400), "seconds", "people clear what the preflight finds; judgement"),
        _one(SWITCH, (1, 5, max(5.0, most)), "seconds", "measured in milliseconds; at most all attempts are needed"),
    )


def draws(assumed: tuple[Assumed, ...], seed: int = SEED, trials: int = TRIALS) -> Mapping[str, Floats]:
    """`trials` values of each, by name. Each has numbers of its own, so one more assumption changes no other."""
    return {one.name: _drawn(one, f"{seed}:{one.name}", trials) for one in assumed}


def _drawn(one: Assumed, seed: str, trials: int) -> Floats:
    """By the inverse of the distribution function: the same numbers on every machine."""
    chance = random.Random(seed)
    uniform = np.array([chance.random() for _ in range(trials)])
    width, left = one.most - one.least, one.likely - one.least
    if width == 0:
        return np.full(trials, one.least)
    rising = one.least + np.sqrt(uniform * width * left)
    falling = one.most - np.sqrt((1 - uniform) * width * (one.most - one.likely))
    drawn: Floats = np.where(uniform < left / width, rising, falling)
    return drawn


def _one(name: str, numbers: tuple[float, float, float], unit: str, reason: str, path: str = "") -> Assumed:
    least, likely, most = numbers
    return Assumed(name=name, least=least, likely=likely, most=most, unit=unit, reason=reason, path=path)
