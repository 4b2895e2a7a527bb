"""One look at both arms, and what is wrong with it."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import ClassVar

from crossfade.judge.settings import Metric
from crossfade.model.counts import CONVERSION, ArmCounts, LatencyHistogram
from crossfade.model.errors import CrossfadeError

_NO_TIME = timedelta(0)


class LookInvalid(CrossfadeError):
    """Counts that cannot be. `faults` holds all of them, each with its place in the look."""

    retryable: ClassVar[bool] = False

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        self.remedy = (
            "Give the counts of this look alone: differences of counters, never across a restart of the router."
        )
        super().__init__("This look cannot be judged: " + "; ".join(faults) + ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What both arms did between two readings; `share` is the canary's share that was wanted, 0 to 1.

    The share must have stood for the whole look. Counts are of this look alone.
    """

    step: int
    share: float
    duration: timedelta
    baseline: ArmCounts
    canary: ArmCounts


def look_faults(look: Look, edges_ms: tuple[float, ...] | None) -> tuple[str, ...]:
    """Everything that is wrong with a look; `edges_ms` are those of the looks before, None before the first."""
    faults: list[str] = []
    if not 0 <= look.share <= 1:
        faults.append(f"share is {look.share:g}, not between 0 and 1")
    if look.duration <= _NO_TIME:
        faults.append("the look lasted no time")
    known = edges_ms
    for name, arm in (("baseline", look.baseline), ("canary", look.canary)):
        if not 0 <= arm.errors <= arm.requests:
            faults.append(f"{name}: {arm.errors} errors of {arm.requests} requests")
        if arm.users_with_errors is not None and not 0 <= arm.users_with_errors <= arm.errors:
            faults.append(f"{name}: {arm.users_with_errors} users with errors, but {arm.errors} errors")
        if arm.conversions is not None or arm.counted:
            faults.extend(f"{name}.{text}" for text in _counted_faults(arm))
        if arm.latency is not None:
            edges = arm.latency.edges_ms
            # Rising edges are looked at once; afterwards it is enough that they stay the same.
            for text in _histogram_faults(arm.latency, rising=edges == edges_ms):
                faults.append(f"{name}.latency: {text}")  # noqa: PERF401 - mostly there is none; the loop is cheaper
            if known is not None and edges != known:
                faults.append(f"{name}.latency: edges are not those seen before")
            known = edges
    return tuple(faults)


def _counted_faults(arm: ArmCounts) -> list[str]:
    faults = []
    names: set[str] = {*Metric}
    if arm.conversions is not None:
        names.add(CONVERSION)
        if not 0 <= arm.conversions <= arm.requests:
            faults.append(f"conversions: {arm.conversions} conversions of {arm.requests} requests")
    for counted in arm.counted:
        if counted.name in names:
            faults.append(f"counted.{counted.name}: the name is taken")
        names.add(counted.name)
        if not 0 <= counted.good <= counted.total:
            faults.append(f"counted.{counted.name}: {counted.good} good ones of {counted.total}")
    return faults


def _histogram_faults(histogram: LatencyHistogram, *, rising: bool) -> list[str]:
    faults = []
    if len(histogram.counts) != len(histogram.edges_ms) + 1:
        faults.append("counts must be one longer than edges")
    if not histogram.edges_ms:
        faults.append("edges are empty")
    elif not rising and (histogram.edges_ms[0] <= 0 or any(low >= high for low, high in pairwise(histogram.edges_ms))):
        faults.append("edges must be above 0 and rise")
    if histogram.counts and min(histogram.counts) < 0:
        faults.append("a count is negative")
    return faults
