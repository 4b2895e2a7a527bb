"""What a look costs, and how many looks a second `crossfade judge` reads, judges and answers from a file.

Run with `.venv/bin/python -m benchmarks.judge_speed`; results go to benchmarks/results/judge_speed.json. Half a minute.
Processor time, the best of some runs; beside the absolute numbers stands the ratio to a bare parse of the same lines by
Python's own `json` in the same run, which a busy or a slower machine leaves as it is.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.cli.test_judge import look_line
from tests.judge.traffic import HEALTHY, Traffic

from crossfade.cli.judge import verdicts
from crossfade.cli.observations import read_observations
from crossfade.judge import JudgeSettings, Look, begin, compare, judge

RESULTS = Path(__file__).parent / "results" / "judge_speed.json"
EDGES_MS = tuple(float(edge) for edge in np.geomspace(1, 5000, 79))
LOOKS, A_STEP, RUNS = 3000, 60, 25


def recorded() -> list[Look]:
    """A healthy rollout with 80 bins."""
    arm, rng = replace(HEALTHY, edges_ms=EDGES_MS), np.random.default_rng(1)
    traffic = Traffic(share=0.15, requests=150, baseline=arm, canary=arm)
    return [traffic.look(rng, at // A_STEP) for at in range(LOOKS)]


def microseconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Processor time by look, the best of so many runs."""
    spent = []
    for _ in range(runs):
        began = time.process_time()
        work()
        spent.append((time.process_time() - began) / LOOKS * 1e6)
    return min(spent)


def answered(lines: list[bytes]) -> int:
    """Everything that the command does with a file, but for writing the answers to it."""
    settings, written = JudgeSettings(), 0
    rollouts, _ = read_observations(lines)
    for rollout in rollouts:
        for line in verdicts(rollout, settings):
            written += len(json.dumps(line, ensure_ascii=False))
    return written


def of_looks(looks: list[Look]) -> dict[str, Any]:
    """The judge alone: the mean of the best run, fits of bets included, and the median look of the last."""
    settings, each = JudgeSettings(), list[float]()

    def folded() -> None:
        each.clear()
        state = begin(settings)
        for look in looks:
            began = time.perf_counter()
            state, _ = judge(state, look, settings)
            each.append((time.perf_counter() - began) * 1e6)

    mean = microseconds(folded)
    state, _ = judge(begin(settings), looks[0], settings)
    state, _ = judge(state, looks[1], settings)
    return {
        "mean_us": round(mean, 1),
        "median_us": round(statistics.median(each), 1),
        "compare_us": round(microseconds(lambda: [compare(state, settings) for _ in looks], 2), 1),
    }


def main() -> None:
    looks = recorded()
    lines = [json.dumps(look_line(look)).encode() + b"\n" for look in looks]
    parsed = microseconds(lambda: [json.loads(line) for line in lines])
    whole = microseconds(lambda: answered(lines))
    look = of_looks(looks)
    results = {
        "bins": len(EDGES_MS) + 1,
        "looks": LOOKS,
        "look": {**look, "times_a_bare_json_parse": round(look["mean_us"] / parsed, 2)},
        "file": {
            "looks_per_second": round(1e6 / whole),
            "times_a_bare_json_parse": round(whole / parsed, 2),
            "bare_json_parse_us": round(parsed, 1),
        },
    }
    print(json.dumps(results, indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
