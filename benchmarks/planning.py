"""What a whole plan costs as data centers grow: from an inventory in memory to all the files of the folder.

Run with `.venv/bin/python -m benchmarks.planning`; results go to benchmarks/results/planning.json. Two minutes of an
idle core. `seconds` are of CPU, so that load hardly shows; reading exports is not in them (benchmarks/inventory.py).
`peak_mib` is the most memory that this process has had by then, drawing the data center included.
The data centers are those of benchmarks/landscape.py, planned without a migration file.
"""

import json
import resource
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.landscape import landscape
from crossfade.planning.plan.assembly import Given, plan_of
from crossfade.planning.plan.files import files_of

RESULTS = Path(__file__).parent / "results" / "planning.json"
SIZES = ((76, 380), (1_000, 5_000), (10_000, 50_000))


def planned(servers: int, dependencies: int) -> dict[str, Any]:
    inventory = landscape(servers, dependencies).inventory
    began = time.process_time()
    plan = plan_of(Given(on=date(2026, 11, 23), inventory=inventory))
    joined = time.process_time()
    files = files_of(plan)
    return {
        "servers": servers,
        "dependencies": dependencies,
        "applications": len(plan.applications),
        "waves": len(plan.waves.waves),
        "plan_seconds": round(joined - began, 2),
        "files_seconds": round(time.process_time() - joined, 2),
        "files_bytes": sum(map(len, files.values())),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    results = [planned(*size) for size in SIZES]
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for each in results:
        print(each)


if __name__ == "__main__":
    main()
