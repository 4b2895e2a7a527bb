"""What planning waves costs as data centers grow, and what is cut beside METIS where nothing is wished.

Run with `.venv/bin/python -m benchmarks.waves` (it needs requirements/benchmarks.txt); results go to
benchmarks/results/waves.json. A few minutes of an idle core. `seconds` are of CPU, in one process a problem, so that
load does not show; the data centers are those of tests/planning/waves/problems.py. `wished`: with a pilot, teams,
order, dates, pairs together and apart. `beside_metis`: no wish but that no wave is larger than the largest part which
METIS made, in as many waves; the best of ten seeds, for both of its ways.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.planning.waves.checking import broken, placed
from tests.planning.waves.problems import data_center, windows

from crossfade.planning.waves import Problem, plan_waves
from crossfade.planning.waves.wishes import CalendarEnd, WaveLimit

RESULTS = Path(__file__).parent / "results" / "waves.json"
SIZES = (76, 300, 1_000, 3_000, 10_000)
BESIDE = (76, 1_000, 10_000)
PER_WAVE = {76: 20}


def wished(servers: int) -> dict[str, Any]:
    problem = data_center(servers, 1, per_wave=PER_WAVE.get(servers, 50))
    began = time.process_time()
    plan = plan_waves(problem)
    return {
        "servers": servers,
        "dependencies": len(problem.edges),
        "wishes": len(problem.wishes),
        "seconds": round(time.process_time() - began, 2),
        "mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "waves": len(plan.waves),
        "broken_wishes": len(broken(problem, placed(plan))),
        "traffic": plan.traffic,
        "cut": plan.cut,
        "least_cut": plan.least_cut,
        "gap_percent": round(plan.gap_percent, 1),
        "method": plan.method,
    }


def beside_metis(servers: int) -> dict[str, Any]:
    drawn = data_center(servers, 1, wished=False)
    parts = -(-servers // PER_WAVE.get(servers, 50))
    theirs = {way: _metis(drawn, parts, recursive=way == "recursive") for way in ("k-way", "recursive")}
    found: dict[str, Any] = {"servers": servers, "waves": parts}
    for way, (cut, largest, seconds) in theirs.items():
        limits = (WaveLimit(servers=largest), CalendarEnd(windows=parts))
        problem: Problem = replace(drawn, windows=windows(parts), wishes=limits)
        began = time.process_time()
        plan = plan_waves(problem)
        found[way] = {
            "largest": largest,
            "metis_cut": cut,
            "metis_seconds": round(seconds, 2),
            "cut": plan.cut,
            "seconds": round(time.process_time() - began, 2),
            "ratio": round(plan.cut / cut, 4),
            "broken_wishes": len(broken(problem, placed(plan))),
        }
    return found


def _metis(problem: Problem, parts: int, *, recursive: bool) -> tuple[int, int, float]:
    """The least it cuts with ten seeds, its largest part then, and the seconds of all ten."""
    import pymetis  # noqa: PLC0415 - only this half needs it

    number = {item.name: place for place, item in enumerate(problem.items)}
    talks: list[list[tuple[int, int]]] = [[] for _ in problem.items]
    for edge in problem.edges:
        one, other = number[edge.source], number[edge.target]
        talks[one].append((other, edge.weight))
        talks[other].append((one, edge.weight))
    starts = [0]
    for talk in talks:
        starts.append(starts[-1] + len(talk))
    ends = [other for talk in talks for other, _ in talk]
    adjacency = pymetis.CSRAdjacency(starts, ends)
    weights = [weight for talk in talks for _, weight in talk]
    began = time.process_time()
    best: tuple[int, int] | None = None
    for seed in range(10):
        options = pymetis.Options(seed=seed)
        cut, part = pymetis.part_graph(parts, adjacency, eweights=weights, recursive=recursive, options=options)
        tried = (int(cut), max(Counter(part).values()))
        best = tried if best is None else min(best, tried)
    assert best is not None
    return (*best, time.process_time() - began)


def _apart(what: str, servers: int) -> dict[str, Any]:
    """In a process of its own: time and memory are those of this problem alone."""
    program = [sys.executable, "-m", "benchmarks.waves", what, str(servers)]
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # threads that wait for a busy core spend its time too
    ended = subprocess.run(program, check=True, capture_output=True, text=True, env=one_thread)
    told: dict[str, Any] = json.loads(ended.stdout)
    print(json.dumps(told), flush=True)
    return told


def main() -> None:
    if len(sys.argv) > 1:
        which = {"wished": wished, "beside_metis": beside_metis}[sys.argv[1]]
        print(json.dumps(which(int(sys.argv[2]))))
        return
    results = {
        "wished": [_apart("wished", servers) for servers in SIZES],
        "beside_metis": [_apart("beside_metis", servers) for servers in BESIDE],
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
