"""How soon the judge finds what is wrong by the size of a look, how ladders end, and what a look costs.

Run with `.venv/bin/python -m benchmarks.judge`; results go to benchmarks/results/judge.json. About four minutes of one
core. Detection is compared with the oracle within the same run, as a bound and carried out on the same looks. How often
the judge cries wolf is measured beside the others' rules, by benchmarks.against_peers.
"""

import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tests.judge.scenarios import REQUESTS
from tests.judge.traffic import HEALTHY, Arm, Traffic, until_decided

from benchmarks.oracle import carried_out, information, requests_needed
from crossfade.judge import Decision, JudgeSettings, begin, judge

RESULTS = Path(__file__).parent / "results" / "judge.json"
SETTINGS = JudgeSettings()
DETECTIONS = 400
AT_MOST = 300_000  # requests, so that means are of what was found


def detection(canary: Arm, requests: int, taught: int) -> dict[str, Any]:
    found, by_oracle = [], []
    traffic, part = Traffic(requests=requests, canary=canary), 1 / SETTINGS.threshold
    for seed in range(DETECTIONS):
        state = begin(SETTINGS)
        if taught:
            look = Traffic(share=0.0, requests=taught).look(np.random.default_rng(10**6 + seed), 0)
            state, _ = judge(state, look, SETTINGS)
        n, _ = until_decided(traffic, seed, wanted=Decision.ABORT, at_most=AT_MOST, state=state)
        found.append(math.inf if n is None else n)
        n = carried_out(traffic, seed, alpha=part, at_most=AT_MOST)
        by_oracle.append(math.inf if n is None else n)
    median, mean, mean_by_oracle = statistics.median(found), statistics.fmean(found), statistics.fmean(by_oracle)
    told = information(canary, HEALTHY, traffic.share)
    oracle, split = requests_needed(told), requests_needed(told, part)
    return {
        "requests_a_look": requests,
        "baseline_before": taught,
        "median_requests": median,
        "ninetieth_percentile": float(np.percentile(found, 90)),
        "oracle": round(oracle),
        "ratio": round(median / oracle, 2),
        "ratio_at_the_metrics_alpha": round(median / split, 2),
        "mean_requests": round(mean),
        "oracle_carried_out": round(mean_by_oracle),
        "ratio_to_it": round(mean / mean_by_oracle, 2),
    }


def detections() -> Iterator[dict[str, Any]]:
    worse = {
        "latency +14 %": HEALTHY.times(latency=1.14),
        "latency +20 %": HEALTHY.times(latency=1.2),
        "latency +50 %": HEALTHY.times(latency=1.5),
        "errors 0.1 % -> 0.5 %": HEALTHY.times(errors=5),
        "errors 0.1 % -> 1 %": HEALTHY.times(errors=10),
        "errors 0.1 % -> 2 %": HEALTHY.times(errors=20),
    }
    for name, canary in worse.items():
        for requests, taught in ((830, 0), (830, 10_000), (150, 0), (150, 10_000)):
            yield {"regression": name, **detection(canary, requests, taught)}


def after_an_incident() -> Iterator[dict[str, Any]]:
    """A regression that begins when an incident of 20 looks ends."""
    during = HEALTHY.times(latency=3, errors=50)
    for name, canary in {"latency +20 %": HEALTHY.times(latency=1.2), "errors x 10": HEALTHY.times(errors=10)}.items():
        found = []
        for seed in range(DETECTIONS // 2):
            rng, state, aborted = np.random.default_rng(10**6 + seed), begin(SETTINGS), False
            for look in range(40):
                arm = during if look >= 20 else HEALTHY
                traffic = Traffic(requests=REQUESTS, baseline=arm, canary=arm)
                state, verdict = judge(state, traffic.look(rng), SETTINGS)
                aborted = aborted or verdict.decision is Decision.ABORT
            if not aborted:
                traffic = Traffic(requests=REQUESTS, canary=canary)
                n, _ = until_decided(traffic, seed, wanted=Decision.ABORT, at_most=120_000, state=state)
                found.append(math.inf if n is None else n)
        yield {"regression": name, "runs": len(found), "median_requests": statistics.median(found)}


def ladder(canary: Arm, seed: int, *, baseline: Arm = HEALTHY, requests: int = 3000) -> tuple[str, float, int]:
    """What became of a rollout that is promoted by the judge after at least so many requests a step; looks of 150."""
    rng, state, total = np.random.default_rng(seed), begin(SETTINGS), 0
    for step, share in enumerate((0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.90)):
        traffic, in_step = Traffic(share=share, baseline=baseline, canary=canary), 0
        while True:
            state, verdict = judge(state, traffic.look(rng, step), SETTINGS)
            in_step, total = in_step + traffic.requests, total + traffic.requests
            if verdict.decision is Decision.ABORT or in_step >= 30_000:
                return ("aborted" if verdict.decision is Decision.ABORT else "held"), share, total
            if verdict.decision is Decision.PROMOTE and in_step >= requests:
                break
    return "completed", 1.0, total


def ladders() -> Iterator[dict[str, Any]]:
    none, common = Arm(error_rate=0.0), Arm(error_rate=0.05)
    cases = {
        "healthy": (HEALTHY, HEALTHY),
        "healthy without errors": (none, none),
        "5 % errors in both arms": (common, common),
        "latency +14 %": (HEALTHY, HEALTHY.times(latency=1.14)),
        "latency +20 %": (HEALTHY, HEALTHY.times(latency=1.2)),
        "1 % errors against none": (none, Arm(error_rate=0.01)),
    }
    for name, (baseline, canary) in cases.items():
        ended = [ladder(canary, seed, baseline=baseline) for seed in range(DETECTIONS // 2)]
        outcomes = [outcome for outcome, _, _ in ended]
        yield {
            "case": name,
            "completed_percent": 100 * outcomes.count("completed") / len(ended),
            "aborted_percent": 100 * outcomes.count("aborted") / len(ended),
            "held_percent": 100 * outcomes.count("held") / len(ended),
            "median_share_at_the_end": statistics.median(share for _, share, _ in ended),
            "ended_at_or_below_45_percent": 100 * sum(share < 0.5 for _, share, _ in ended) / len(ended),
            "median_requests": statistics.median(total for _, _, total in ended),
        }


def promotions() -> Iterator[dict[str, Any]]:
    none, common = Arm(error_rate=0.0), Arm(error_rate=0.05)
    cases = (
        ("healthy", HEALTHY, 0.05),
        ("healthy without errors", none, 0.05),
        ("5 % errors in both arms", common, 0.25),
        ("healthy", HEALTHY, 0.90),
    )
    for name, arm, share in cases:
        traffic = Traffic(share=share, baseline=arm, canary=arm)
        runs = (until_decided(traffic, s, wanted=Decision.PROMOTE, at_most=30_000)[0] for s in range(DETECTIONS))
        found = [math.inf if n is None else n for n in runs]
        yield {
            "case": name,
            "share": share,
            "median_requests": statistics.median(found),
            "ninetieth_percentile": float(np.percentile(found, 90)),
            "ninetyfifth_percentile": float(np.percentile(found, 95)),
        }


def cost() -> dict[str, Any]:
    """Microseconds of processor time for a look, fits included in the mean; 61 bins."""
    rng, state, spent = np.random.default_rng(1), begin(SETTINGS), []
    for look in [Traffic(share=0.15, requests=150).look(rng, i // 60) for i in range(3000)]:
        began = time.process_time()
        state, _ = judge(state, look, SETTINGS)
        spent.append((time.process_time() - began) * 1e6)
    return {"median_us": round(statistics.median(spent), 1), "mean_us": round(statistics.mean(spent), 1)}


def main() -> None:
    began = time.perf_counter()
    results: dict[str, Any] = {"settings": {"alpha": SETTINGS.alpha, "latency_margin": SETTINGS.latency_margin}}
    results["look_cost"] = cost()
    parts: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        "detections": detections,
        "after_an_incident": after_an_incident,
        "promotions": promotions,
        "ladders": ladders,
    }
    for name, rows in parts.items():
        results[name] = []
        for row in rows():
            results[name].append(row)
            print(name, row, flush=True)
    print(results["look_cost"], f"{time.perf_counter() - began:.0f} s")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
