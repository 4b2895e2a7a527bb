"""Whole rehearsals, again and again: does the judge find what it must, in how many requests, and does it cry wolf?

    .venv/bin/python -m benchmarks.rehearsals healthy=20 latency50=10 latency20=10 errors=10 common=10

Each run is a `crossfade rehearse` of its own, at the default speed unless `--speed` says otherwise. Runs are added to
benchmarks/results/rehearsals.json as they end, each with the machine's load before it, so that a run that is cut
short loses nothing; `--anew` begins the file again. The figures at its top are over all runs of the file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "rehearsals.json"
FILE = ROOT / "examples" / "ledger" / "migration.yaml"
SCENARIOS: dict[str, tuple[str, ...]] = {
    "healthy": (),
    "latency50": ("canary-latency=50%@canary:5",),
    "latency20": ("canary-latency=20%@canary:5",),
    "errors": ("canary-errors=1%@canary:5",),
    "common": ("common-errors=5%@canary:25",),
}
KEPT = (
    "outcome",
    "reason",
    "requests",
    "failed_requests",
    "acknowledged_writes",
    "lost_writes",
    "duplicate_writes",
    "write_unavailable_ms",
    "detection_requests",
    "rollback_ms",
    "differing_rows",
    "resumes",
    "seconds",
)

Run = dict[str, Any]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", nargs="+", metavar="SCENARIO=N", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--anew", action="store_true", help="forget the runs of the file")
    given = parser.parse_args(words)
    runs: list[Run] = [] if given.anew or not RESULTS.exists() else json.loads(RESULTS.read_text())["runs"]
    for word in given.runs:
        scenario, _, count = word.partition("=")
        for _ in range(int(count)):
            run = rehearse(scenario, given.speed)
            runs.append(run)
            print(json.dumps(run), flush=True)
            RESULTS.write_text(json.dumps({"figures": figures(runs), "runs": runs}, indent=1) + "\n")
    return 0


def rehearse(scenario: str, speed: float) -> Run:
    """One rehearsal; its result without paths, with the highest share reached."""
    words = [sys.executable, "-m", "crossfade.cli.main", "rehearse", str(FILE), "--json", "--speed", str(speed)]
    for fault in SCENARIOS[scenario]:
        words += ["--fault", fault]
    load = os.getloadavg()[0]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    result: Run = json.loads(lines[-1]) if lines else {"outcome": "failed", "reason": done.stderr[-500:]}
    kept = {name: result.get(name) for name in KEPT}
    shares = [
        float(line.split("Share is ")[1].split(" %")[0]) for line in done.stderr.splitlines() if "Share is" in line
    ]
    top = max(shares, default=0.0)
    return {"scenario": scenario, "speed": speed, "load_before": round(load, 1), "highest_share": top, **kept}


def figures(runs: Sequence[Run]) -> dict[str, Any]:
    """Per scenario: outcomes, median and worst of what is promised."""
    told: dict[str, Any] = {}
    for scenario in SCENARIOS:
        mine = [run for run in runs if run["scenario"] == scenario]
        if mine:
            told[scenario] = {
                "runs": len(mine),
                "outcomes": {o: sum(r["outcome"] == o for r in mine) for o in sorted({r["outcome"] for r in mine})},
                "lost_or_doubled": sum((r["lost_writes"] or 0) + (r["duplicate_writes"] or 0) for r in mine),
                "highest_share": max(r["highest_share"] for r in mine),
                "failed_requests": _spread([r["failed_requests"] for r in mine]),
                "detection_requests": _spread([r["detection_requests"] for r in mine]),
                "rollback_ms": _spread([r["rollback_ms"] for r in mine]),
                "write_unavailable_ms": _spread([w for r in mine for w in r["write_unavailable_ms"] or ()]),
                "seconds": _spread([r["seconds"] for r in mine]),
            }
    return told


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    return {"median": statistics.median(known), "worst": max(known)} if known else None


if __name__ == "__main__":
    sys.exit(main())
