"""What a verification costs beside the least that any could: a scan which computes a typed hash of every column.

Run with `.venv/bin/python -m benchmarks.verify [ROWS] [ROUNDS]`; results go to benchmarks/results/verify.json.
PostgreSQL 13 against 18 on this computer, both at once; bigint key, uuid, numeric, timestamptz, text and a small jsonb.
Everything of a round runs one after the other, and ratios are those within a round; told is the median over rounds.
Beside the ratio of times stands that of processor seconds, of both servers and the client: where others use the
computer, a time tells how long each statement waited for its turn, and only the latter what the work costs.
Reladiff is compared where its program stands beside Python: install requirements/benchmarks.txt for it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from tests.waiting import wait_for

from crossfade.model.terms import Side
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports
from crossfade.verify.postgres import VerifySettings, verify_at_rest

RESULTS = Path(__file__).parent / "results" / "verify.json"
ROWS, ROUNDS = 5_000_000, 3
PLANTED = 3
LIMITS = {"same": 1.3, "differences": 1.6, "client_mb": 150.0, "times_faster_than_reladiff": 3.0}
COLUMNS = ("ref", "amount", "at", "memo", "meta")
TABLE = """
CREATE TABLE item (id bigint PRIMARY KEY, ref uuid NOT NULL, amount numeric NOT NULL, at timestamptz NOT NULL,
                   memo text, meta jsonb);
"""
FILL = """
INSERT INTO item SELECT i, md5(i::text)::uuid, (i * 37 % 100000) / 100.0, timestamptz '2024-01-01' + i * interval '1 s',
       'memo ' || md5((i % 1000)::text), jsonb_build_object('n', i % 100, 'tag', 't' || i % 7)
FROM generate_series(1, {rows}) i
"""
PLANT = """
UPDATE item SET amount = amount + 1 WHERE id = {rows} / 3; DELETE FROM item WHERE id = {rows} / 2;
INSERT INTO item SELECT -1, ref, amount, at, memo, meta FROM item WHERE id = 1
"""
SCAN = """
SELECT sum(hashint4extended(99, hashint4extended(1, id) # uuid_hash_extended(ref, 2) # hash_numeric_extended(amount, 3)
    # hashfloat8extended(date_part('epoch', at), 4) # coalesce(hashtextextended(memo, 5), 77)
    # coalesce(jsonb_hash_extended(meta, 6), 78))) FROM item
"""
QUIET = "SET max_parallel_workers_per_gather = 0; SET jit = off"

Dsns = dict[Side, str]


@contextmanager
def sides(folder: Path, rows: int) -> Iterator[tuple[Dsns, Callable[[], float]]]:
    """The same table on both, vacuumed and analyzed, and what both servers have used of the processors."""
    clusters: dict[Side, Cluster] = {}
    try:
        for side, programs in ((Side.SOURCE, source_postgres()), (Side.TARGET, target_postgres())):
            settings = {
                "fsync": "off",
                "full_page_writes": "off",
                "shared_buffers": "1GB",
                "max_wal_size": "4GB",
                "autovacuum": "off",
            }
            cluster = Cluster(
                programs=programs, directory=folder / side.value, port=free_ports(1)[0], settings=settings
            )
            cluster.create()
            cluster.start()
            clusters[side] = cluster
        dsns = {side: cluster.dsn() for side, cluster in clusters.items()}
        both(dsns, TABLE, FILL.format(rows=rows), "VACUUM (ANALYZE) item")
        yield dsns, lambda: sum(used_by(cluster) for cluster in clusters.values())
    finally:
        for cluster in clusters.values():
            cluster.stop()


def used_by(cluster: Cluster) -> float:
    """Processor seconds of a server, those of its ended sessions included: it is waited until all have ended."""
    assert cluster.pid is not None
    server = psutil.Process(cluster.pid)
    wait_for(lambda: not any(is_session(process) for process in server.children()))
    ended = server.cpu_times()
    return ended.children_user + ended.children_system


def is_session(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
        return not words or "127.0.0.1" in " ".join(words)  # without words: it has ended, and is not counted yet
    except psutil.ZombieProcess:
        return True  # not counted by its parent yet
    except psutil.NoSuchProcess:
        return False


def both(dsns: Dsns, *statements: str) -> None:
    def run(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    with ThreadPoolExecutor(len(dsns)) as pool:
        list(pool.map(run, dsns.values()))


def ours(dsns: Dsns) -> int:
    return len(verify_at_rest(VerifySettings(source=dsns[Side.SOURCE], target=dsns[Side.TARGET])).differences)


def reladiff(dsns: Dsns) -> int | None:
    """How many lines of difference it tells; None where it is not installed."""
    program = Path(sys.executable).parent / "reladiff"
    if not program.exists():
        return None
    places = []
    for side in Side:
        told = psycopg.conninfo.conninfo_to_dict(dsns[side])
        places += [f"postgresql://{told['user']}@{told['host']}:{told['port']}/{told['dbname']}", "item"]
    columns = [word for column in COLUMNS for word in ("-c", column)]
    ended = subprocess.run([program, *places, "-k", "id", *columns], capture_output=True, text=True, check=True)
    return len([line for line in ended.stdout.splitlines() if line[:1] in "+-"])


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one piece of work: time, and processor seconds of servers and client."""

    seconds: float
    used: float

    def to(self, other: "Cost") -> tuple[float, float]:
        return round(self.seconds / other.seconds, 2), round(self.used / other.used, 2)


def timed(work: Callable[[], Any], servers: Callable[[], float]) -> tuple[Cost, Any]:
    began, used = time.perf_counter(), servers() + client()
    found = work()
    return Cost(time.perf_counter() - began, servers() + client() - used), found


def client() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def round_of(dsns: Dsns, servers: Callable[[], float]) -> dict[str, Any]:
    scan, _ = timed(lambda: both(dsns, QUIET, SCAN), servers)
    mine, found = timed(lambda: ours(dsns), servers)
    theirs, their_lines = timed(lambda: reladiff(dsns), servers)
    measured: dict[str, Any] = {"scan_s": round(scan.seconds, 2), "scan_used_s": round(scan.used, 2)}
    measured["ours_to_scan"], measured["ours_used_to_scan"] = mine.to(scan)
    measured["ours_found"] = found
    if their_lines is not None:
        measured["reladiff_to_scan"], measured["reladiff_used_to_scan"] = theirs.to(scan)
        measured["reladiff_lines"] = their_lines
    return measured


def client_mb(dsns: Dsns) -> float:
    """The greatest memory of a process that does nothing but verify."""
    program = (
        "import sys; from crossfade.verify.postgres import *\n"
        "verify_at_rest(VerifySettings(source=sys.argv[1], target=sys.argv[2]))"
    )
    argv = [sys.executable, "-c", program, dsns[Side.SOURCE], dsns[Side.TARGET]]
    with subprocess.Popen(argv) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv)
    return round(usage.ru_maxrss / 1024, 1)


def summed_up(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure, and every round."""
    told = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    return told | {"rounds": rounds}


def verdicts(results: dict[str, Any]) -> dict[str, bool]:
    """Which limits were kept; those that could not be measured are left out."""
    kept = {name: results[name]["ours_to_scan"] <= LIMITS[name] for name in ("same", "differences")}
    kept["client_mb"] = results["client_mb"] <= LIMITS["client_mb"]
    if "reladiff_to_scan" in results["same"]:
        ratios = [results[name]["reladiff_to_scan"] / results[name]["ours_to_scan"] for name in ("same", "differences")]
        kept["times_faster_than_reladiff"] = min(ratios) >= LIMITS["times_faster_than_reladiff"]
    kept["found"] = (results["same"]["ours_found"], results["differences"]["ours_found"]) == (0, PLANTED)
    return kept


def main(rows: int = ROWS, rounds: int = ROUNDS) -> int:
    results: dict[str, Any] = {"rows": rows, "limits": LIMITS}
    with (
        tempfile.TemporaryDirectory(prefix="crossfade-verify-") as folder,
        sides(Path(folder), rows) as (dsns, servers),
    ):
        round_of(dsns, servers)  # warms both servers' memory
        results["same"] = summed_up([round_of(dsns, servers) for _ in range(rounds)])
        target = {Side.TARGET: dsns[Side.TARGET]}
        both(target, *(statement for statement in PLANT.format(rows=rows).split(";") if statement.strip()))
        results["differences"] = summed_up([round_of(dsns, servers) for _ in range(rounds)])
        results["client_mb"] = client_mb(dsns)
    results["kept"] = verdicts(results)
    print(json.dumps(results, indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if all(results["kept"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
