"""The fewest requests with which anybody could find a regression: bounds that rules are held against.

A sequential test that is wrong with a chance of alpha needs log(1/alpha) nats of evidence on average, so no fewer
requests than that over the information of one. Source: Wald 1945, 'Sequential tests of statistical hypotheses', Annals
of Mathematical Statistics 16; Kaufmann, Cappe & Garivier 2016, JMLR 17, for the bound with any stopping rule.

No rule reaches that number, not even the test that it is named after: evidence comes in whole looks and whole errors,
so the last of it carries beyond what was needed. `carried_out` is that test on the very looks that the judge sees.
"""

import math
from collections.abc import Sequence

import numpy as np
from tests.judge.traffic import Arm, Traffic, bin_chances

from crossfade.judge import JudgeSettings

SETTINGS = JudgeSettings()


def requests_needed(information: float, alpha: float = SETTINGS.alpha) -> float:
    """Requests for log(1/alpha) nats; infinite where a request tells nothing."""
    return math.log(1 / alpha) / information if information > 0 else math.inf


def information(canary: Arm, baseline: Arm, share: float, margin: float = SETTINGS.latency_margin) -> float:
    """Nats of one request, of either arm, about 'this canary, not one at the edge of what is allowed'.

    For who knows both distributions in advance: only the canary's requests, a share of all, tell anything.
    """
    return share * (_of_latency(canary, baseline, margin) + _of_errors(canary, baseline))


def carried_out(traffic: Traffic, seed: int, *, alpha: float, at_most: int) -> int | None:
    """Requests until a likelihood-ratio test that knows both distributions finds the canary worse; None by `at_most`.

    It sees the looks that `tests.judge.traffic.until_decided` gives the judge from this seed, and answers at the end of
    one. The judge's warm-up is kept: the latencies of the first looks of a step are those of cold caches.
    """
    rng, needed, found = np.random.default_rng(seed), math.log(1 / alpha), 0.0
    slower = _log_ratios(traffic.canary, traffic.baseline, SETTINGS.latency_margin)
    p, q = traffic.canary.error_rate, traffic.baseline.error_rate
    for look in range(at_most // traffic.requests):
        canary = traffic.look(rng).canary
        assert canary.latency is not None
        if look >= SETTINGS.settling_looks:
            found += float(slower @ canary.latency.counts)
        found += canary.errors * math.log(p / q) + (canary.requests - canary.errors) * math.log((1 - p) / (1 - q))
        if found >= needed:
            return (look + 1) * traffic.requests
    return None


def label_information(canary: Arm, baseline: Arm, share: float, margin: float = SETTINGS.latency_margin) -> float:
    """The same for who knows both distributions, but must stay blind to what both arms share: sees labels alone.

    Source: Shekhar & Ramdas, arXiv 2112.09162: the growth rate of the best bet.
    """
    told = 0.0
    if canary.median_ms > baseline.median_ms:
        ours, theirs = _chances(canary, 1 / (1 + margin)), _chances(baseline, 1.0)
        told += sum(_of_labels(share * p, (1 - share) * q, share) for p, q in zip(ours, theirs, strict=True))
    return told + _of_labels(share * canary.error_rate, (1 - share) * baseline.error_rate, share)


def _chances(arm: Arm, times: float) -> Sequence[float]:
    return bin_chances(arm.median_ms * times, arm.sigma, arm.edges_ms, arm.link_ms)


def _of_latency(canary: Arm, baseline: Arm, margin: float) -> float:
    return float(_log_ratios(canary, baseline, margin) @ np.array(_chances(canary, 1.0)))


def _log_ratios(canary: Arm, baseline: Arm, margin: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What a request of the canary tells, by bin; nothing where it is not slower."""
    pairs = zip(_chances(canary, 1.0), _chances(baseline, 1 + margin), strict=True)
    slower = canary.median_ms > baseline.median_ms
    return np.array([math.log(p / q) if slower and p and q else 0.0 for p, q in pairs])


def _of_errors(canary: Arm, baseline: Arm) -> float:
    p, q = canary.error_rate, baseline.error_rate
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


def _of_labels(ours: float, theirs: float, share: float) -> float:
    """Of events that happen at these rates to canary and baseline, about 'theirs is share to 1 - share'."""
    event = ours + theirs
    told = ours * math.log(ours / (event * share)) if ours else 0.0
    return told + (theirs * math.log(theirs / (event * (1 - share))) if theirs else 0.0)
