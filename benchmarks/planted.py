"""How many simulated runs it takes to find each planted bug. Run: nice .venv/bin/python -m benchmarks.planted

Writes benchmarks/results/planted.json and the table in docs/planted-bugs.md. About three minutes on two cores.
"""

import json
import multiprocessing
import time
from pathlib import Path

from tests.simulation.planted import BEYOND, MOST_RUNS, PLANTS, search

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "planted.json"
PAGE = ROOT / "docs" / "planted-bugs.md"
_HEAD = f"""# Planted bugs

A simulation that finds nothing proves nothing unless it finds what is there. So bugs are planted in the real code, one
at a time, and `crossfade simulate`'s runs are searched from seed 1 on until one breaks a rule that the bug must break.
Each must be found within {MOST_RUNS:,} runs; the last column says how many it took. The same seed without the bug
breaks no rule.

The bugs: [tests/simulation/plants](../tests/simulation/plants). The test: `tests/simulation/test_planted.py`, which
begins where each was found last, and searches from seed 1 with `CROSSFADE_SOAK=1`. This table:
`python -m benchmarks.planted`.

| Bug | What it would do | Broken rule | Runs |
|---|---|---|---:|
"""
_BEYOND = f"""
Not to be counted on within {MOST_RUNS:,} runs so far, presumably because other protections or rare coincidences
stand before them:

"""


def _one(number: int) -> tuple[str, dict[str, object] | None]:
    plant, began = PLANTS[number], time.monotonic()
    found = search(plant)
    if found is None:
        print(f"NOT FOUND: {plant.name}", flush=True)
        return plant.name, None
    rules = [violation.rule for violation in found.violations if violation.rule in plant.rules]
    print(f"{plant.name}: {found.runs} runs, {time.monotonic() - began:.0f} s: {rules}", flush=True)
    return plant.name, {"runs": found.runs, "seed": found.seed, "rules": rules}


def write(kept: dict[str, dict[str, object]]) -> None:
    """The table, for the test and for people."""
    RESULTS.write_text(json.dumps({"at_most": MOST_RUNS, "planted": kept}, indent=2) + "\n")
    rows = []
    for plant in PLANTS:
        if (entry := kept.get(plant.name)) is not None:
            rules = entry["rules"]
            assert isinstance(rules, list)
            rows.append(f"| {plant.name} | {plant.harm} | {', '.join(rules)} | {entry['runs']} |\n")
    beyond = [f"- {name}: {why}\n" for name, why in BEYOND.items()]
    PAGE.write_text(_HEAD + "".join(rows) + _BEYOND + "".join(beyond))


def main() -> None:
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        found = dict(pool.imap(_one, range(len(PLANTS)), chunksize=1))
    write({name: entry for name, entry in found.items() if entry is not None})
    missing = [name for name, entry in found.items() if entry is None]
    if missing:
        raise SystemExit(f"not found: {missing}")


if __name__ == "__main__":
    main()
