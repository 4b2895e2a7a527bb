"""How often the judge and the others' rules cry wolf, and how soon they find what is wrong, on the same drawn looks.

Run with `.venv/bin/python -m benchmarks.against_peers`; 2,000 rollouts a case take about eight minutes of two idle
cores, `--rollouts 200` a tenth of that. Results go to benchmarks/results/against_peers.json once all cases are
measured; until then they are kept beside it case by case, so an interrupted run goes on, and what was measured with the
same code is not measured again. `.venv/bin/python -m benchmarks.plots` then draws the page anew.
"""

import argparse
import hashlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.stats import binomtest
from tests.judge.scenarios import LOOKS
from tests.judge.traffic import HEALTHY, Arm, Traffic

from benchmarks.cases import AT_FIRST, MINUTES, STEPS, WORSE, Case, Kind, cases
from benchmarks.oracle import information, label_information, requests_needed
from benchmarks.peers import PEERS
from benchmarks.peers.batch import batch
from crossfade.judge import Decision, JudgeSettings, Look, begin, judge

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "against_peers.json"
UNFINISHED = ".unfinished"
SETTINGS = JudgeSettings()
OURS = "the judge"
ROLLOUTS, TOGETHER = 2000, 50
NEVER = -1
SOURCES = (
    "src/crossfade/judge/*.py",
    "benchmarks/peers/*.py",
    "benchmarks/cases.py",
    "tests/judge/traffic.py",
    "tests/judge/scenarios.py",
    "tests/judge/adverse.py",
)

Found = dict[str, list[int]]
"""By rule, for each rollout: requests of both arms until it would abort, or NEVER."""


@cache
def code() -> str:
    """What the results depend on, as a short hash; of the files as they were when this process began."""
    paths = sorted(path for pattern in SOURCES for path in ROOT.glob(pattern))
    told = hashlib.sha256()
    for path in paths:
        told.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()[:12]


def measured(case: Case, seeds: range) -> tuple[Found, int]:
    """What every rule says of these rollouts, and how many looks with a silent arm the judge promoted."""
    rollouts = [case.rollout(seed) for seed in seeds]
    requests = np.array([[look.baseline.requests + look.canary.requests for look in looks] for looks in rollouts])
    seen = np.cumsum(requests, axis=1)
    judged = [aborted_at(looks) for looks in rollouts]
    found = {OURS: [NEVER if at is None else int(seen[row, at]) for row, (at, _) in enumerate(judged)]}
    drawn = batch(rollouts, looks=LOOKS, minutes=MINUTES, planned=STEPS, seed=seeds.start)
    for name, rule in PEERS.items():
        alarms = rule(drawn)
        first = np.where(alarms.any(axis=1), alarms.argmax(axis=1), NEVER)
        found[name] = [NEVER if at == NEVER else int(seen[row, at]) for row, at in enumerate(first)]
    return found, sum(promoted for _, promoted in judged)


def aborted_at(looks: Sequence[Look]) -> tuple[int | None, int]:
    """The look after which the judge aborts, and how many looks before it promoted though an arm was silent."""
    state, promoted = begin(SETTINGS), 0
    for at, look in enumerate(looks):
        state, verdict = judge(state, look, SETTINGS)
        if verdict.decision is Decision.ABORT:
            return at, promoted
        silent = look.canary.requests == 0 or look.baseline.requests == 0
        promoted += silent and verdict.decision is Decision.PROMOTE
    return None, promoted


def summed_up(case: Case, found: Mapping[str, Sequence[int]], promoted: int) -> dict[str, Any]:
    """The row of a case."""
    return {
        "case": case.name,
        "kind": case.kind.value,
        "rollouts": len(found[OURS]),
        "looks": len(case.shares),
        "silent_looks_promoted": promoted,
        "rules": {rule: _of_rule(requests) for rule, requests in found.items()},
        **_bounds(case),
    }


def _of_rule(requests: Sequence[int]) -> dict[str, Any]:
    """Those that never aborted count as infinitely late, so a median may be None."""
    late = [math.inf if each == NEVER else each for each in requests]
    aborted = sum(each != NEVER for each in requests)
    low, high = binomtest(aborted, len(requests)).proportion_ci(method="wilson")
    quantiles = {
        name: float(np.quantile(late, q, method="higher")) for name, q in (("median", 0.5), ("ninetieth", 0.9))
    }
    return {
        "aborted": aborted,
        "percent": round(100 * aborted / len(requests), 2),
        "wilson_95": [round(100 * low, 2), round(100 * high, 2)],
        **{f"{name}_requests": value if math.isfinite(value) else None for name, value in quantiles.items()},
    }


def _bounds(case: Case) -> dict[str, Any]:
    """The oracle's requests, where the case is a regression."""
    if case.kind is Kind.NOT_WORSE:
        return {}
    worse, share = WORSE[case.name.partition(" at ")[0]], case.shares[0]
    return {
        "share": share,
        "oracle_requests": round(requests_needed(information(worse.canary, worse.baseline, share))),
        "label_oracle_requests": round(requests_needed(label_information(worse.canary, worse.baseline, share))),
    }


def paths() -> Iterator[dict[str, Any]]:
    """The e-values of single rollouts, all at the first step and of one seed: looks of 150 requests."""
    during = HEALTHY.times(latency=3, errors=50)
    for name, canary, incident in (
        ("healthy", HEALTHY, False),
        ("a common incident", HEALTHY, True),
        ("latency +20 %", HEALTHY.times(latency=1.2), False),
        ("errors 0.1 % → 1 %", HEALTHY.times(errors=10), False),
    ):
        rng, state, values = np.random.default_rng(1), begin(SETTINGS), []
        for look in range(80):
            both: Arm | None = during if incident and 30 <= look < 50 else None
            traffic = Traffic(share=AT_FIRST, baseline=both or HEALTHY, canary=both or canary)
            state, verdict = judge(state, traffic.look(rng), SETTINGS)
            values.append(float(f"{math.exp(min(state.log_e(state.worst(SETTINGS), SETTINGS), 300)):.4g}"))
            if verdict.decision is Decision.ABORT:
                break
        yield {"path": name, "requests_a_look": 150, "e_values": values}


def told_before() -> dict[str, dict[str, Any]]:
    """Rows by case that earlier runs of the same code left, those of most rollouts where there are several."""
    rows: dict[str, dict[str, Any]] = {}
    for path in (RESULTS, RESULTS.with_suffix(UNFINISHED)):
        if path.exists() and (earlier := json.loads(path.read_text(encoding="utf-8")))["code"] == code():
            for row in earlier["cases"]:
                if row["rollouts"] >= rows.get(row["case"], row)["rollouts"]:
                    rows[row["case"]] = row
    return rows


def keep(rows: Mapping[str, dict[str, Any]], *, whole: bool) -> None:
    """Write what is known: beside the results while cases are missing, else in their place."""
    told = {
        "code": code(),
        "settings": {"alpha": SETTINGS.alpha, "latency_margin": SETTINGS.latency_margin},
        "threshold": SETTINGS.threshold,
        "cases": [rows[case.name] for case in cases() if case.name in rows],
        "paths": list(paths()) if whole else [],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    unfinished = RESULTS.with_suffix(UNFINISHED)
    unfinished.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if whole:
        unfinished.replace(RESULTS)


def run(rollouts: int, processes: int, *, fresh: bool) -> None:
    code()
    rows = {} if fresh else told_before()
    waiting = [case for case in cases() if rows.get(case.name, {}).get("rollouts", 0) < rollouts]
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, disable=not console.is_terminal,
    )  # fmt: skip
    with ProcessPoolExecutor(processes) as pool, bar:
        whole = bar.add_task("rollouts", total=rollouts * len(waiting))
        for case in waiting:
            bar.update(whole, description=case.name)
            found: dict[int, tuple[Found, int]] = {}
            chunks = [range(first, min(first + TOGETHER, rollouts)) for first in range(0, rollouts, TOGETHER)]
            doing = {pool.submit(measured, case, chunk): chunk for chunk in chunks}
            for done in as_completed(doing):
                found[doing[done].start] = done.result()
                bar.advance(whole, len(doing[done]))
            rows[case.name] = summed_up(case, *_joined([found[chunk.start] for chunk in chunks]))
            keep(rows, whole=False)
            if bar.disable:
                print(_line(rows[case.name]), flush=True)
    keep(rows, whole=True)


def _joined(found: Sequence[tuple[Found, int]]) -> tuple[Found, int]:
    rules = found[0][0]
    return {rule: [each for part, _ in found for each in part[rule]] for rule in rules}, sum(n for _, n in found)


def _line(row: Mapping[str, Any]) -> str:
    told = row["rules"][OURS]
    return f"{row['case']}: {told['percent']} % of {row['rollouts']} aborted, median {told['median_requests']}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against_peers", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=ROLLOUTS, help="of each case")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured with the same code")
    given = parser.parse_args()
    if given.rollouts < 1 or given.processes < 1:
        parser.error("--rollouts and --processes must be at least 1")
    run(given.rollouts, given.processes, fresh=given.fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
