"""Beside the judge, for those who ask: what the usual rules would say of a step. Nothing here decides.

Both look once; whoever looks at them after each look cries wolf (benchmarks/judge.py measures how often).
Source: Mann & Whitney 1947, Annals of Mathematical Statistics 18; Hodges & Lehmann 1963; Kayenta, NetflixACAJudge and
MannWhitneyClassifier (98 % interval of the shift, a quarter of it allowed, the score is the part of metrics that pass).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import ndtr, ndtri

from crossfade.judge.bins import log_middles
from crossfade.judge.capital import Floats
from crossfade.judge.look import Look
from crossfade.judge.settings import Metric
from crossfade.model.counts import CONVERSION, ArmCounts

SERIES = 240
"""Looks of a step that the score takes, the latest: it compares every look with every other."""
_LEVEL, _ALLOWED = 0.98, 0.25


class Classified(StrEnum):
    """What Kayenta calls a metric; a higher one is worse here."""

    PASS = "pass"  # noqa: S105 - a class of metrics, no password
    HIGH = "high"
    LOW = "low"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the usual rules say of some looks of one step.

    `slower_p` is the chance of ranks so high of the canary's latencies if both arms' were alike, without a margin; None
    without latencies of both. `score` is the percentage of metrics, of those with data, that pass; None without any.
    """

    slower_p: float | None
    classified: dict[str, Classified]
    score: float | None


def beside(looks: Sequence[Look]) -> Beside:
    """Mann-Whitney over all requests of these looks, and a score in Kayenta's manner over the looks as a series."""
    baseline = [look.baseline for look in looks]
    canary = [look.canary for look in looks]
    classified = {
        name: classify(_series(baseline[-SERIES:], name), _series(canary[-SERIES:], name)) for name in _names(canary)
    }
    told = [each for each in classified.values() if each is not Classified.NO_DATA]
    score = 100 * sum(each is not Classified.HIGH for each in told) / len(told) if told else None
    of_baseline, of_canary = _histogram(baseline), _histogram(canary)
    p = None if of_baseline is None or of_canary is None else slower_p(of_baseline, of_canary)
    return Beside(slower_p=p, classified=classified, score=score)


def slower_p(baseline: Floats, canary: Floats) -> float | None:
    """Mann-Whitney, one-sided: the p-value of 'the canary is not slower', from requests by bin; None without some.

    As scipy's mannwhitneyu(baseline, canary, alternative="less", method="asymptotic"), ties by bin and all. The other
    direction, which is often written, looks for a canary that is faster.
    """
    n_baseline, n_canary = float(baseline.sum()), float(canary.sum())
    if not n_baseline or not n_canary:
        return None
    slower_pairs = float(canary @ (np.cumsum(baseline) - baseline / 2))
    ties, both = baseline + canary, n_baseline + n_canary
    variance = n_baseline * n_canary / 12 * (both + 1 - float((ties**3 - ties).sum()) / (both * max(both - 1, 1)))
    if variance <= 0:
        return 1.0
    return float(ndtr(-(slower_pairs - n_baseline * n_canary / 2 - 0.5) / math.sqrt(variance)))


def classify(baseline: Floats, canary: Floats) -> Classified:
    """Whether the canary's series lies higher, by the Hodges-Lehmann shift and its interval."""
    if min(len(baseline), len(canary)) < 2:
        return Classified.NO_DATA
    shifts = np.sort(np.subtract.outer(canary, baseline), axis=None)
    pairs = len(shifts)
    reach = ndtri((1 + _LEVEL) / 2) * math.sqrt(pairs * (len(baseline) + len(canary) + 1) / 12)
    first = min(max(round(pairs / 2 - reach), 0), pairs - 1)
    allowed = _ALLOWED * abs(float(np.median(shifts)))
    if shifts[first] > allowed:
        return Classified.HIGH
    return Classified.LOW if shifts[pairs - 1 - first] < -allowed else Classified.PASS


def _names(arms: Sequence[ArmCounts]) -> tuple[str, ...]:
    counted = {counted.name: None for arm in arms for counted in arm.counted}
    conversions = (CONVERSION,) if any(arm.conversions is not None for arm in arms) else ()
    return (*Metric, *conversions, *counted)


def _series(arms: Sequence[ArmCounts], name: str) -> Floats:
    values = [value for arm in arms if (value := _value(arm, name)) is not None]
    return np.array(values)


def _value(arm: ArmCounts, name: str) -> float | None:
    """The rate of what goes badly; of latency the mean of its logarithm."""
    if name == Metric.ERRORS:
        return arm.errors / arm.requests if arm.requests else None
    if name == Metric.LATENCY:
        if arm.latency is None or not sum(arm.latency.counts):
            return None
        counts = np.array(arm.latency.counts, dtype=float)
        return float(counts @ log_middles(arm.latency.edges_ms) / counts.sum())
    counted = arm.metric(name)
    return counted.bad / counted.total if counted is not None and counted.total else None


def _histogram(arms: Sequence[ArmCounts]) -> Floats | None:
    known = [arm.latency.counts for arm in arms if arm.latency is not None]
    return np.array(known, dtype=float).sum(axis=0) if known else None
