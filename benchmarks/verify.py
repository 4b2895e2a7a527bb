"""What a verification costs beside the least that any could: a scan which computes a typed hash of every column.

Run with `.venv/bin/python -m benchmarks.verify [--rows N] [--rounds N]`; results go to benchmarks/results/verify.json.
With `--keep FOLDER` the filled servers stay there for the next run, and `--fill` fills them and measures nothing.
PostgreSQL 13 against 18 on this computer, both at once; the tables are those of benchmarks/verify_tables.py.
Everything of a round runs one after the other, and ratios are those within a round; told is the median over rounds.
Beside the ratio of times stands that of processor seconds, of both servers and the client: where others use the
computer, a time tells how long each statement waited for its turn, and only the latter what the work costs.
Reladiff is compared where its program stands beside Python: install requirements/benchmarks.txt for it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import psycopg
from tests.waiting import wait_for

from benchmarks.verify_tables import SHAPES
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
PLANT = (
    "UPDATE item SET amount = amount + 1 WHERE id = {rows} / 3",
    "DELETE FROM item WHERE id = {rows} / 2",
    "INSERT INTO item SELECT -1, ref, amount, at, memo, meta FROM item WHERE id = 1",
)
MEND = (
    "UPDATE item SET amount = amount - 1 WHERE id = {rows} / 3",
    "INSERT INTO item SELECT {values} FROM generate_series({rows} / 2, {rows} / 2) i",
    "DELETE FROM item WHERE id = -1",
)
QUIET = "SET max_parallel_workers_per_gather = 0; SET jit = off"

Dsns = dict[Side, str]


@contextmanager
def sides(folder: Path, rows: int) -> Iterator[tuple[Dsns, Callable[[], float]]]:
    """The same tables on both, vacuumed and analyzed, and what both servers have used of the processors."""
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
        fill(dsns, rows)
        yield dsns, lambda: sum(used_by(cluster) for cluster in clusters.values())
    finally:
        for cluster in clusters.values():
            cluster.stop()


def fill(dsns: Dsns, rows: int) -> None:
    with psycopg.connect(dsns[Side.TARGET]) as connection:
        standing = {name for (name,) in connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")}
    for name, shape in SHAPES.items():
        if table(name) not in standing:
            both(dsns, *shape.filling(table(name), rows))


def table(shape: str) -> str:
    """A name that needs no quotes."""
    return shape.replace(",", "").replace(" ", "_").lower()


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


def ours(dsns: Dsns, name: str) -> int:
    settings = VerifySettings(source=dsns[Side.SOURCE], target=dsns[Side.TARGET], tables=(name,))
    found = verify_at_rest(settings)
    assert not found.unresolved, found.unresolved
    return len(found.differences)


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


def round_of(dsns: Dsns, servers: Callable[[], float], shape: str = "item", *, peer: bool = True) -> dict[str, Any]:
    scan, _ = timed(lambda: both(dsns, QUIET, SHAPES[shape].scan(table(shape))), servers)
    mine, found = timed(lambda: ours(dsns, table(shape)), servers)
    measured: dict[str, Any] = {"scan_s": round(scan.seconds, 2), "scan_used_s": round(scan.used, 2)}
    measured["ours_to_scan"], measured["ours_used_to_scan"] = mine.to(scan)
    measured["ours_found"] = found
    theirs, their_lines = timed(lambda: reladiff(dsns), servers) if peer else (None, None)
    if theirs is not None and their_lines is not None:
        measured["reladiff_to_scan"], measured["reladiff_used_to_scan"] = theirs.to(scan)
        measured["reladiff_lines"] = their_lines
    return measured


def client_mb(dsns: Dsns) -> float:
    """The greatest memory of a process that does nothing but verify."""
    program = (
        "import sys; from crossfade.verify.postgres import *\n"
        "verify_at_rest(VerifySettings(source=sys.argv[1], target=sys.argv[2], tables=('item',)))"
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


def in_words(results: dict[str, Any]) -> str:
    """The table of docs/verification.md: each as a multiple of the bare scan's time."""
    lines = [
        "| table | rows | bare scan | verified | verified with three differences | reladiff, without and with them |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    same, differing = results["same"], results["differences"]
    peer = " and ".join(f"{found['reladiff_to_scan']:.1f}" for found in (same, differing))
    lines.append(
        f"| bigint key, {len(COLUMNS)} columns | {results['rows']:,} | {same['scan_s']:.2f} s |"
        f" {same['ours_to_scan']:.2f} | {differing['ours_to_scan']:.2f} | {peer} |"
    )
    lines += [
        f"| {shape} | {found['rows']:,} | {found['scan_s']:.2f} s | {found['ours_to_scan']:.2f} | | |"
        for shape, found in results["shapes"].items()
    ]
    return "\n".join(lines) + "\n"


def measured(dsns: Dsns, servers: Callable[[], float], rows: int, rounds: int) -> dict[str, Any]:
    """Everything that is told of the first table and, in short, of the others."""
    target = {Side.TARGET: dsns[Side.TARGET]}
    results: dict[str, Any] = {"rows": rows, "limits": LIMITS, "machine": machine(dsns)}
    round_of(dsns, servers, peer=False)  # warms both servers' memory
    results["same"] = summed_up([round_of(dsns, servers) for _ in range(rounds)])
    both(target, *(statement.format(rows=rows) for statement in PLANT))
    try:
        results["differences"] = summed_up([round_of(dsns, servers) for _ in range(rounds)])
        results["client_mb"] = client_mb(dsns)
    finally:
        both(target, *(statement.format(rows=rows, values=SHAPES["item"].values) for statement in MEND))
    results["shapes"] = {
        shape: {"rows": round(rows * SHAPES[shape].part)}
        | summed_up([round_of(dsns, servers, shape, peer=False) for _ in range(rounds + 1)][1:])
        for shape in SHAPES
        if shape != "item"
    }
    return results


def machine(dsns: Dsns) -> dict[str, Any]:
    """What the numbers were measured on and with."""
    versions: dict[str, object] = {}
    for side, dsn in dsns.items():
        with psycopg.connect(dsn) as connection:
            versions[side.value] = connection.info.server_version
    with suppress(metadata.PackageNotFoundError):
        versions["reladiff"] = metadata.version("reladiff")
    return {"processors": os.cpu_count(), "python": sys.version.split()[0], **versions}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=str(__doc__).splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--keep", type=Path, help="a folder for the filled servers; without it they are gone afterwards"
    )
    parser.add_argument("--fill", action="store_true", help="measure nothing")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="crossfade-verify-") as folder,
        sides(asked.keep or Path(folder), asked.rows) as (dsns, servers),
    ):
        if asked.fill:
            return 0
        results = measured(dsns, servers, asked.rows, asked.rounds)
    results["kept"] = verdicts(results)
    print(json.dumps(results, indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if all(results["kept"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
