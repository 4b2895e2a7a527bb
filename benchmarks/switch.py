"""How long writes are unavailable in a switch, worst case, there and back under load.

Run with `.venv/bin/python -m benchmarks.switch`; results go to benchmarks/results/switch.json. About four minutes. 400
writes a second, each under a key, half of them from the source's site and half from the target's; 20 switches there and
20 back, first on loopback, then with 20 ms of round trip between the sites. The write window is fence to open by the
engine's clock; the gap is the longest time between two acknowledged writes of anybody, from each switch to the next.
The floor is what no switch can go below: a round trip to close one side, one to open the other, and one flush.
"""

import asyncio
import contextlib
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from multiprocessing.connection import Connection as Wire
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors
from tests.waiting import wait_for

from crossfade.database.native import NativeReplication
from crossfade.database.settings import NativeSettings, Reach
from crossfade.model.seen import Replication, SwitchReport
from crossfade.model.terms import Side
from crossfade.rehearsal import processes, wan
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres

RESULTS = Path(__file__).parent / "results" / "switch.json"
WRITES_PER_SECOND = 400
CONNECTIONS_EACH = 6
SWITCHES = 20  # there, and as many back
ROUND_TRIP = timedelta(milliseconds=20)
LIMITS_MS = {"loopback": 100.0, "wan": 150.0}
REST_S = 0.3  # between two switches

SCHEMA = """
CREATE SCHEMA bank;
CREATE TABLE bank.account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
CREATE TABLE bank.transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key uuid NOT NULL UNIQUE,
    debit int NOT NULL REFERENCES bank.account, credit int NOT NULL REFERENCES bank.account, amount bigint NOT NULL
);
CREATE INDEX ON bank.transfer (debit);
CREATE INDEX ON bank.transfer (credit);
INSERT INTO bank.account (id) SELECT generate_series(1, 1000);
DO $$ BEGIN CREATE ROLE bank_owner; CREATE ROLE bank_app LOGIN; END $$;
ALTER SCHEMA bank OWNER TO bank_owner; ALTER TABLE bank.account OWNER TO bank_owner;
ALTER TABLE bank.transfer OWNER TO bank_owner;
GRANT USAGE ON SCHEMA bank TO bank_app;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA bank TO bank_app;
"""
TRANSFER = (
    "BEGIN; INSERT INTO bank.transfer (key, debit, credit, amount) VALUES ('{key}', {a}, {b}, 1);"
    " UPDATE bank.account SET balance = balance - 1 WHERE id = {a};"
    " UPDATE bank.account SET balance = balance + 1 WHERE id = {b}; COMMIT"
)


@dataclass(slots=True, kw_only=True)
class Users:
    """Open loop: a write is due at its time, whatever became of the one before. Who is refused looks elsewhere."""

    dsns: list[dict[Side, str]]
    started: float
    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    retries: int = 0
    ended: bool = False

    async def run(self, wire: Wire) -> None:
        due: asyncio.Queue[int] = asyncio.Queue()
        workers = [asyncio.create_task(self._work(dsns, due)) for dsns in self.dsns for _ in range(CONNECTIONS_EACH)]
        number = 0
        while not wire.poll():
            number += 1
            due.put_nowait(number)
            await asyncio.sleep(max(0.0, self.started + number / WRITES_PER_SECOND - time.monotonic()))
        await due.join()
        self.ended = True
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, dsns: dict[Side, str], due: "asyncio.Queue[int]") -> None:
        sides = {side: await psycopg.AsyncConnection.connect(dsn, autocommit=True) for side, dsn in dsns.items()}
        for connection in sides.values():  # warm: the first statement of a session reads the catalog
            await connection.execute("SELECT count(*) FROM bank.account JOIN bank.transfer ON debit = account.id")
        side = Side.SOURCE
        try:
            while True:
                number = await due.get()
                key = str(uuid.uuid4())
                a, b = sorted((1 + number * 7 % 1000, 1 + number * 13 % 997))
                statement = TRANSFER.format(key=key, a=a, b=b if b != a else b + 1).encode()
                while True:
                    try:
                        await sides[side].execute(statement)
                        break
                    except errors.UniqueViolation:
                        await sides[side].rollback()
                        break
                    except errors.InsufficientPrivilege:
                        await sides[side].rollback()
                        self.retries += 1
                        side = side.other
                        await asyncio.sleep(0.005)
                self.acknowledged.append((time.monotonic(), key))
                due.task_done()
        finally:
            for connection in sides.values():
                await connection.close()


def users_process(dsns: list[dict[Side, str]], wire: Wire) -> None:
    users = Users(dsns=dsns, started=time.monotonic())
    asyncio.run(users.run(wire))
    wire.recv()
    wire.send((users.acknowledged, users.retries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The two clusters and, with a WAN, the ports by which each is reached from the other site."""

    clusters: dict[Side, Cluster]
    far_ports: dict[Side, int]

    def dsn(self, side: Side, *, seen_from: Side, user: str) -> str:
        port = self.clusters[side].port if seen_from is side else self.far_ports[side]
        return f"host=127.0.0.1 port={port} user={user} dbname=bank"

    def settings(self) -> NativeSettings:
        """The engine stands at the target's site."""
        source, target = (
            Reach(
                dsn=self.dsn(side, seen_from=Side.TARGET, user="crossfade"),
                subscriber_dsn=self.dsn(side, seen_from=side.other, user="crossfade"),
            )
            for side in Side
        )
        return NativeSettings(source=source, target=target, programs=target_postgres().programs, schemas=("bank",))


@contextmanager
def sites(folder: Path, round_trip: timedelta) -> Iterator[Sites]:
    ports = processes.free_ports(5)
    clusters = {
        side: Cluster(programs=programs, directory=folder / side, port=port)
        for side, programs, port in zip(Side, (source_postgres(), target_postgres()), ports, strict=False)
    }
    with ExitStack() as stack:
        for side, cluster in clusters.items():
            cluster.create()
            cluster.start()
            stack.callback(cluster.stop)
            with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
                connection.execute("CREATE ROLE crossfade LOGIN SUPERUSER REPLICATION")
                connection.execute("CREATE DATABASE bank")
            if side is Side.SOURCE:
                with psycopg.connect(cluster.dsn(database="bank"), autocommit=True) as connection:
                    connection.execute(SCHEMA.encode())
        far = {side: cluster.port for side, cluster in clusters.items()}
        if round_trip:
            maps = dict(zip(ports[2:4], far.values(), strict=True))
            launched = processes.start(wan.launch(maps, ports[4], round_trip, folder / "wan.log"))
            stack.callback(processes.stop, launched, timeout=5)
            wait_for(lambda: not processes.is_free(ports[4]))
            far = dict(zip(Side, ports[2:4], strict=True))
        yield Sites(clusters=clusters, far_ports=far)


def floor_ms(where: Sites) -> dict[str, float]:
    """Medians: a round trip from the engine to each side, and a flush on each, here and now."""
    found: dict[str, float] = {}
    for side in Side:
        with psycopg.connect(where.dsn(side, seen_from=Side.TARGET, user="crossfade"), autocommit=True) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS floor; CREATE TABLE IF NOT EXISTS floor.x (n int)")
            found[f"round_trip_{side}"] = median_ms(connection, "SELECT 1")
            found[f"flush_{side}"] = (
                median_ms(connection, "INSERT INTO floor.x VALUES (1)") - found[f"round_trip_{side}"]
            )
            connection.execute("DROP SCHEMA floor CASCADE")
    found["floor"] = (
        found["round_trip_source"] + found["round_trip_target"] + max(found["flush_source"], found["flush_target"])
    )
    return found


def median_ms(connection: psycopg.Connection[Any], statement: str) -> float:
    times = []
    for _ in range(60):
        began = time.perf_counter()
        connection.execute(statement.encode())
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def measure(where: Sites) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    dsns = [{side: where.dsn(side, seen_from=here, user="bank_app") for side in Side} for here in Side]
    with NativeReplication(where.settings()) as role:
        role.create_schema()
        role.start_replication()
        wait_for(lambda: isinstance(seen := role.replication(Side.SOURCE), Replication) and seen.copied)
        role.complete_schema()
        role.build_way_back()
        users = context.Process(target=users_process, args=(dsns, theirs))
        users.start()
        time.sleep(3)  # quiet load, until the caches are warm
        floor = floor_ms(where)
        reports: list[tuple[float, SwitchReport]] = []
        for epoch in range(1, 2 * SWITCHES + 1):
            to = Side.TARGET if epoch % 2 else Side.SOURCE
            role.prepare_switch(to)
            began = time.monotonic()
            reports.append((began, role.switch(to, epoch)))
            role.wake_way_back(to)
            time.sleep(REST_S)  # so that a gap belongs to one switch
        ours.send("stop")
        ours.send("tell")
        acknowledged, retries = ours.recv()
        users.join(30)
        lost, doubled = lost_and_doubled(where, {key for _, key in acknowledged})
    return told(reports, acknowledged, floor) | {
        "writes": len(acknowledged),
        "retries": retries,
        "lost": lost,
        "doubled": doubled,
        "same_on_both_sides": same_on_both_sides(where),
    }


def lost_and_doubled(where: Sites, acknowledged: set[str]) -> tuple[int, int]:
    """The source is the last primary. Doubled: money moved without or twice for a transfer."""
    with psycopg.connect(where.clusters[Side.SOURCE].dsn(database="bank")) as connection:
        there = {str(key) for (key,) in connection.execute("SELECT key FROM bank.transfer").fetchall()}
        wrong = connection.execute(
            "SELECT count(*) FROM bank.account a WHERE balance <>"
            " (SELECT count(*) FROM bank.transfer WHERE credit = a.id)"
            " - (SELECT count(*) FROM bank.transfer WHERE debit = a.id)"
        ).fetchone()
    return len(acknowledged - there), int(wrong[0]) if wrong else -1


def same_on_both_sides(where: Sites) -> bool:
    def digest(side: Side) -> Any:
        with psycopg.connect(where.clusters[side].dsn(database="bank")) as connection:
            return connection.execute(
                "SELECT (SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM bank.transfer t),"
                " (SELECT md5(string_agg(a::text, '' ORDER BY id)) FROM bank.account a)"
            ).fetchone()

    with contextlib.suppress(TimeoutError):
        wait_for(lambda: digest(Side.SOURCE) == digest(Side.TARGET))
        return True
    return False


def told(
    reports: list[tuple[float, SwitchReport]], acknowledged: list[tuple[float, str]], floor: dict[str, float]
) -> dict[str, Any]:
    times = sorted(at for at, _ in acknowledged)
    windows = [report.write_window.total_seconds() * 1000 for _, report in reports]
    starts = [began for began, _ in reports]
    gaps = []
    for began, until in zip(starts, [*starts[1:], times[-1]], strict=True):
        near = [at for at in times if began - 0.05 <= at <= until]
        gaps.append(max(later - earlier for earlier, later in pairwise(near)) * 1000)
    return {
        "switches": len(reports),
        "writes_per_second": round(len(times) / (times[-1] - times[0])),
        "write_window_ms": spread(windows),
        "longest_gap_ms": spread(gaps),
        "floor_ms": {name: round(value, 2) for name, value in floor.items()},
        "window_to_floor": round(statistics.median(windows) / floor["floor"], 2),
        "median_moments_ms": {
            name: round(
                statistics.median(dict(report.moments)[name].total_seconds() * 1000 for _, report in reports), 2
            )
            for name, _ in reports[0][1].moments
        },
        "worst_moments_ms": {
            name: round(at.total_seconds() * 1000, 2)
            for name, at in max(reports, key=lambda pair: pair[1].write_window)[1].moments
        },
    }


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 1),
        "p90": round(sorted(values)[int(len(values) * 0.9)], 1),
        "worst": round(max(values), 1),
    }


def main() -> int:
    results: dict[str, Any] = {}
    for name, round_trip in (("loopback", timedelta(0)), ("wan", ROUND_TRIP)):
        with (
            tempfile.TemporaryDirectory(prefix="crossfade-switch-") as folder,
            sites(Path(folder), round_trip) as where,
        ):
            results[name] = measure(where)
        results[name]["limit_ms"] = LIMITS_MS[name]
        print(name, json.dumps(results[name], indent=1), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    kept = all(
        found["lost"] == found["doubled"] == 0
        and found["same_on_both_sides"]
        and max(found["write_window_ms"]["worst"], found["longest_gap_ms"]["worst"]) <= found["limit_ms"]
        for found in results.values()
    )
    print("every limit kept" if kept else "A LIMIT WAS NOT KEPT")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
