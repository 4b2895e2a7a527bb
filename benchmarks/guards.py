"""How often the guards cry wolf, alone and together with the judge, and after how many looks they find gross damage.

Run with `.venv/bin/python -m benchmarks.guards`; results go to benchmarks/results/guards.json. About three minutes of
one core. Whole rollouts up the default ladder, with the limits, windows and looks of the reference case's rehearsal.
"""

import json
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tests.judge.guarded import ALL_LOOKS, COMPARED, RUNGS, World, aborted_at, breached_at, drawn
from tests.judge.worlds import HEALTHY_WORLDS, INCIDENT_WORLDS, UNCOUNTED_WORLDS, WORSE, Damage

from crossfade.judge.guards import CHANCE_PER_LOOK

RESULTS = Path(__file__).parent / "results" / "guards.json"
ROLLOUTS, JUDGED, DETECTIONS = 600, 60, 20
SHARES = (0.05, 0.45, 0.9, 1.0)


def false_aborts(worlds: Mapping[str, World]) -> Iterator[dict[str, Any]]:
    for name, world in worlds.items():
        alone, judge, either = 0, 0, 0
        for seed in range(ROLLOUTS):
            rollout = drawn(world, seed)
            breached = breached_at(rollout) is not None
            aborted = seed < JUDGED and aborted_at(rollout) is not None
            alone, judge = alone + breached, judge + aborted
            either += seed < JUDGED and (breached or aborted)
        yield {
            "world": name,
            "guards_percent": round(100 * alone / ROLLOUTS, 2),
            "judge_percent": round(100 * judge / JUDGED, 2),
            "together_percent": round(100 * either / JUDGED, 2),
        }


def detections(requests: int, runs: int) -> Iterator[dict[str, Any]]:
    """Looks from the beginning of the damage, which begins with a step, until the guards, or they or the judge, act."""
    for name, how in WORSE.items():
        for number, (share, _) in enumerate(RUNGS):
            if round(share, 2) not in SHARES:
                continue
            first = sum(looks for _, looks in RUNGS[:number])
            rollouts = [drawn(World(requests=requests, course=Damage(first=first, **how)), s) for s in range(runs)]
            guards = [_looks(breached_at(rollout, first=first), first) for rollout in rollouts]
            judge = [_looks(aborted_at(rollout, first=first), first) for rollout in rollouts[: runs // 2]]
            either = [min(pair) for pair in zip(guards, judge, strict=False)]
            yield {
                "damage": name,
                "requests_a_look": requests,
                "share": round(share, 2),
                "median_looks": _finite(statistics.median(guards)),
                "ninetieth_percentile": _finite(float(np.percentile(guards, 90, method="higher"))),
                "median_looks_with_judge": _finite(statistics.median(either)),
            }


def _looks(at: int | None, first: int) -> float:
    return math.inf if at is None else at - first + 1


def _finite(looks: float) -> float | None:
    return looks if math.isfinite(looks) else None


def main() -> None:
    began = time.process_time()
    RESULTS.parent.mkdir(exist_ok=True)
    results: dict[str, Any] = {
        "chance_per_look": CHANCE_PER_LOOK,
        "looks_of_the_ladder": {"compared": COMPARED, "all": ALL_LOOKS},
        "rollouts": {"guards": ROLLOUTS, "judge": JUDGED, "detection": DETECTIONS},
    }
    parts: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        "healthy": lambda: false_aborts(HEALTHY_WORLDS),
        "users_not_counted": lambda: false_aborts(UNCOUNTED_WORLDS),
        "common_incidents": lambda: false_aborts(INCIDENT_WORLDS),
        "detection": lambda: detections(150, DETECTIONS),
        "detection_at_100000_a_second": lambda: detections(50_000, DETECTIONS // 4),
    }
    for name, rows in parts.items():
        results[name] = []
        for row in rows():
            results[name].append(row)
            print(name, row, flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
