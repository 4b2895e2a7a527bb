"""What finding applications, drawing their map and scoring them costs, how it grows, and how much of it is right.

Run with `.venv/bin/python -m benchmarks.applications`; results go to benchmarks/results/applications.json. A minute.
Data centers are generated (`benchmarks.landscape`): it is known which server is of which application. Each size runs
in a process of its own, three times in turn; seconds are of CPU, medians; `times_the_least` compares sizes within a
round. Of an application that can be known in one way, `found_percent` is the part of pairs of its servers that are
found together, and `clean_percent` the part of the pairs that are found together with them that belong together.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from math import comb
from pathlib import Path
from typing import Any

from benchmarks.landscape import KINDS, Landscape, landscape

RESULTS = Path(__file__).parent / "results" / "applications.json"
SIZES = ((1_000, 5_000), (3_000, 15_000), (10_000, 50_000))
ROUNDS = 3
STEPS = ("find", "page", "svg", "mermaid", "readiness")


def measured(servers: int, dependencies: int) -> dict[str, Any]:
    """In a process of its own."""
    import networkx  # noqa: F401, PLC0415, ICN001 - loaded before it is measured, as the rest

    from crossfade.planning.applications import find_applications  # noqa: PLC0415 - loaded before it is measured
    from crossfade.planning.dependency_map import as_mermaid, as_page, as_svg, picture_of  # noqa: PLC0415
    from crossfade.planning.readiness import readiness_of  # noqa: PLC0415

    made = landscape(servers, dependencies)
    before = _peak_mib()
    times = [time.process_time()]
    found = find_applications(made.inventory)
    times.append(time.process_time())
    picture = picture_of(found, made.inventory)
    page = as_page(picture, found, title="Map")
    times.append(time.process_time())
    as_svg(picture)
    times.append(time.process_time())
    as_mermaid(picture)
    times.append(time.process_time())
    readiness_of(made.inventory, found, on=date(2026, 11, 22))
    times.append(time.process_time())
    homes = {name: each.name for each in found.applications for name in each.servers}
    took = [after - earlier for earlier, after in pairwise(times)]
    seconds = dict(zip(STEPS, took, strict=True))
    return {
        "servers": len(made.inventory.servers),
        "dependencies": len(made.inventory.dependencies),
        "applications": len(made.kinds),
        "found": len(found.applications),
        "flows": len(found.flows),
        "page_bytes": len(page.encode()),
        "seconds": seconds,
        "mib": _peak_mib() - before,
        "services_missed_or_mistaken": len({each.server for each in found.services} ^ made.services),
        "right": {kind: right(made, homes, kind) for kind in KINDS},
    }


def right(made: Landscape, homes: dict[str, str], kind: str) -> dict[str, float]:
    """Pairs of servers, of the applications of one kind."""
    both = Counter((made.truth[name], homes[name]) for name in made.truth)
    true, groups = Counter(made.truth.values()), Counter(homes.values())
    of_kind = {name for name, known in made.kinds.items() if known == kind}
    together = _pairs(count for (name, _), count in both.items() if name in of_kind)
    touched = {group for (name, group) in both if name in of_kind}
    others = _pairs(count for (_, group), count in both.items() if group in touched)
    return {
        "found_percent": round(100 * together / _pairs(true[name] for name in of_kind), 2),
        "clean_percent": round(100 * others / _pairs(groups[group] for group in touched), 2),
    }


def _pairs(counts: Iterable[int]) -> int:
    return sum(comb(count, 2) for count in counts)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(servers: int, dependencies: int) -> dict[str, Any]:
    program = [sys.executable, "-m", "benchmarks.applications", str(servers), str(dependencies)]
    told: dict[str, Any] = json.loads(subprocess.run(program, check=True, capture_output=True, text=True).stdout)
    return told


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measured(int(sys.argv[1]), int(sys.argv[2]))))
        return
    rounds = [[_apart(*size) for size in SIZES] for _ in range(ROUNDS)]
    results = []
    for place, last in enumerate(rounds[-1]):
        result = dict(last)
        result["seconds"] = {
            step: round(statistics.median(each[place]["seconds"][step] for each in rounds), 2) for step in STEPS
        }
        result["times_the_least"] = {
            step: round(
                statistics.median(each[place]["seconds"][step] / each[0]["seconds"][step] for each in rounds), 1
            )
            for step in STEPS
        }
        result["mib"] = round(statistics.median(each[place]["mib"] for each in rounds), 1)
        print(json.dumps(result), flush=True)
        results.append(result)
    RESULTS.write_text(json.dumps({"rounds": ROUNDS, "sizes": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
