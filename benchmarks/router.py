"""What it costs the router that an engine looks at it, how quickly shares are set, and how soon they hold.

Run with `.venv/bin/python -m benchmarks.router`; results go to benchmarks/results/router.json. About 40 seconds. One
Envoy, closed-loop users over 32 connections, tiny servers in processes of their own. Half seconds with and without the
engine's looks take turns, and each is compared with its neighbours: what else the computer does meets both. Shares are
then set at 300 requests a second.
"""

import asyncio
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Wire
from pathlib import Path

import psutil
from tests.traffic.users import Ask, Connection
from tests.waiting import wait_for

from crossfade.metrics.envoy import EnvoyMetrics
from crossfade.model.counts import ArmReading
from crossfade.model.seen import Shares
from crossfade.model.terms import Side
from crossfade.rehearsal import processes, router
from crossfade.rehearsal.router import RouterLayout
from crossfade.traffic.envoy import EnvoyRouter

RESULTS = Path(__file__).parent / "results" / "router.json"
CONNECTIONS = 32
WINDOW_S = 0.5
PAIRS = 40
LOOK_EVERY_S = 0.5
TURNS = 30
LOOKS = 1000
PACED_PER_SECOND = 300  # what the rehearsal runs at


@dataclass
class Users:
    """Closed-loop users; `asked` are the moments at which requests that modern servers answered were sent."""

    port: int
    served: int = 0
    failed: int = 0
    modern_asked: list[float] = field(default_factory=list)
    think_s: float = 0.0
    ended: bool = False

    async def run(self) -> None:
        await asyncio.gather(*(self._one(number) for number in range(CONNECTIONS)))

    async def _one(self, number: int) -> None:
        connection, turn = Connection(self.port), 0
        while not self.ended:
            turn += 1
            asked = time.perf_counter()
            answer = await connection.ask(Ask(user=f"{number}-{turn}"))
            self.served += 1
            self.failed += answer.status != 200
            if answer.arm == "modern":
                self.modern_asked.append(asked)
            if self.think_s:
                await asyncio.sleep(self.think_s)
        await connection.close()

    async def served_in(self, seconds: float) -> float:
        """Requests a second, measured over that time."""
        before, begin = self.served, time.perf_counter()
        await asyncio.sleep(seconds)
        return (self.served - before) / (time.perf_counter() - begin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """To the engine's process: look on (or not), or set a share; nothing of both: look once."""

    look_on: bool | None = None
    share: float | None = None


def engine(admin_url: str, runtime_folder: Path, orders: Wire) -> None:
    """In a process of its own, as the engine is: looks while it is told to, and answers orders with (begin, end)."""
    metrics, routing = EnvoyMetrics(admin_url), EnvoyRouter(admin_url, runtime_folder)
    looking = False

    def look() -> None:
        assert isinstance(metrics.arms(), ArmReading)
        assert isinstance(routing.shares(), Shares)
        assert isinstance(routing.drained(Side.TARGET), bool)

    while True:
        if looking and not orders.poll(LOOK_EVERY_S):
            look()
            continue
        order = orders.recv()
        if order is None:
            return
        begin = time.perf_counter()
        if order.look_on is not None:
            looking = order.look_on
        elif order.share is not None:
            routing.set_shares(order.share)
        else:
            look()
        orders.send((begin, time.perf_counter()))


async def tell(wire: Wire, order: Order) -> tuple[float, float]:
    """When the engine began and ended doing it; `perf_counter` is the same clock in both processes."""
    wire.send(order)
    begin, end = await asyncio.to_thread(wire.recv)
    return begin, end


async def throughput(users: Users, wire: Wire, envoy: psutil.Process) -> dict[str, float]:
    """Ratios of neighbouring windows, with the engine and without; each pair begins with the other one.

    Envoy's own CPU time for a request says the same, whoever else uses the computer meanwhile.
    """
    rates, costs = {True: list[float](), False: list[float]()}, {True: list[float](), False: list[float]()}
    for pair in range(PAIRS):
        for looking in (pair % 2 == 0, pair % 2 == 1):
            await tell(wire, Order(look_on=looking))
            served, used = users.served, sum(envoy.cpu_times()[:2])
            rates[looking].append(await users.served_in(WINDOW_S))
            costs[looking].append((sum(envoy.cpu_times()[:2]) - used) / (users.served - served))
    await tell(wire, Order(look_on=False))
    ratios = [seen / unseen for seen, unseen in zip(rates[True], rates[False], strict=True)]
    return {
        "ratio": statistics.median(ratios),
        "ratio_standard_error": 1.25 * statistics.stdev(ratios) / len(ratios) ** 0.5,
        "cpu_per_request_ratio": sum(costs[False]) / sum(costs[True]),
        "requests_per_second_with": statistics.median(rates[True]),
        "requests_per_second_without": statistics.median(rates[False]),
    }


async def looks(wire: Wire, envoy: psutil.Process) -> dict[str, float]:
    """What one look costs: how long it takes, and of Envoy's CPU time (no users ask meanwhile).

    Two looks a second at that cost are the share of a core that the engine takes from the router's users.
    """
    taken, used = [], sum(envoy.cpu_times()[:2])
    for _ in range(LOOKS):
        begin, end = await tell(wire, Order())
        taken.append((end - begin) * 1000)
    cost_ms = (sum(envoy.cpu_times()[:2]) - used) * 1000 / LOOKS
    share = cost_ms / 1000 / LOOK_EVERY_S
    return _spread("look_ms", taken) | {"router_cpu_ms_per_look": cost_ms, "router_core_share_of_looking": share}


async def shifting(users: Users, wire: Wire) -> dict[str, float]:
    """How long setting a share takes and how long after the decision modern servers were still asked."""
    taken, late = [], []
    for turn in range(TURNS):
        await tell(wire, Order(share=50 + turn))
        users.modern_asked.clear()
        while not users.modern_asked:
            await users.served_in(0.1)
        begin, end = await tell(wire, Order(share=0))
        await users.served_in(0.1)
        taken.append((end - begin) * 1000)
        late.append(max(0.0, (users.modern_asked[-1] - begin) * 1000))
    return _spread("set_share_ms", taken) | _spread("last_canary_request_ms", late)


def _spread(name: str, milliseconds: list[float]) -> dict[str, float]:
    return {f"{name}_median": statistics.median(milliseconds), f"{name}_worst": max(milliseconds)}


@contextmanager
def running() -> Iterator[tuple[RouterLayout, psutil.Process]]:
    with tempfile.TemporaryDirectory(prefix="crossfade-benchmark-") as folder:
        listen, admin, *ports = processes.free_ports(14)
        layout = RouterLayout(
            folder=Path(folder), listen_port=listen, admin_port=admin, legacy_ports=ports[:6], modern_ports=ports[6:]
        )
        log = layout.folder / "log"
        sites = {"legacy": layout.legacy_ports, "modern": layout.modern_ports}
        serve = [sys.executable, "-m", "tests.traffic.servers"]
        launches = [
            processes.Launch(argv=[*serve, arm, *map(str, at)], log=log, cwd=Path.cwd()) for arm, at in sites.items()
        ]
        started = [processes.start(launch) for launch in (*launches, router.launch(layout, log))]
        try:
            wait_for(lambda: router.is_ready(layout))
            yield layout, psutil.Process(started[-1].pid)
        finally:
            for process in started:
                processes.stop(process, timeout=5)


async def measure(layout: RouterLayout, wire: Wire, envoy: psutil.Process) -> dict[str, float]:
    users = Users(port=layout.listen_port)
    asking = asyncio.create_task(users.run())
    await users.served_in(2)  # warm
    found = await throughput(users, wire, envoy)
    users.think_s = CONNECTIONS / PACED_PER_SECOND
    found |= await shifting(users, wire)
    users.ended = True
    await asking
    found |= await looks(wire, envoy)
    return found | {"requests": users.served, "failed_requests": users.failed}


def main() -> None:
    spawning = multiprocessing.get_context("spawn")
    wire, other_end = spawning.Pipe()
    with running() as (layout, envoy):
        looker = spawning.Process(target=engine, args=(layout.admin_url, layout.runtime_folder, other_end))
        looker.start()
        try:
            found = asyncio.run(measure(layout, wire, envoy))
        finally:
            wire.send(None)
            looker.join()
    text = json.dumps({name: round(value, 4) for name, value in found.items()}, indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
