"""Brings about the faults that a scenario drew, where and when it drew them, and heals them."""

from collections import Counter, defaultdict
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from crossfade.database.settings import channel
from crossfade.model.terms import Side
from crossfade.simulation.faults import Fault
from crossfade.simulation.postgres.catalog import ENTRIES
from crossfade.simulation.postgres.tables import Entries

if TYPE_CHECKING:
    from crossfade.simulation.world import SimulatedWorld


class Injector:
    """`occur` is told each place that the run comes by. `happened` holds the faults that came to be."""

    def __init__(self, world: "SimulatedWorld", faults: tuple[Fault, ...], rng: Random) -> None:
        self._world, self._rng = world, rng
        self._waiting: dict[str, list[Fault]] = defaultdict(list)
        for fault in faults:
            self._waiting[fault.place].append(fault)
        self._passed: Counter[str] = Counter()
        self.happened: list[Fault] = []
        self._healing: list[Callable[[], None]] = []

    def occur(self, place: str) -> None:
        waiting = self._waiting.get(place)
        if waiting is None:
            return
        self._passed[place] += 1
        for fault in [fault for fault in waiting if fault.nth == self._passed[place]]:
            waiting.remove(fault)
            if fault.delay:
                self._world.hub.after(fault.delay, lambda fault=fault: self._bring_about(fault))  # type: ignore[misc]
            else:
                self._bring_about(fault)

    @property
    def broke_way_back(self) -> str | None:
        """The fault that keeps what is written on the target from arriving on the source for good, if there was one."""
        kinds = {"slot-dropped", "slot-made-anew"}
        return next((f.kind for f in self.happened if f.kind in kinds and f.side is Side.TARGET), None)

    def heal(self) -> None:
        """Nothing new happens, and what still lasts is over."""
        self._waiting.clear()
        self._world.disturbances.heal()
        for cure in self._healing:
            cure()
        self._healing.clear()

    def _bring_about(self, fault: Fault) -> None:
        if self._world.ended is not None and fault.kind not in {"engine-kill", "person"}:
            return
        self.happened.append(fault)
        self._world.note("fault", str(fault))
        _FAULTS[fault.kind](self, fault)
        self._world.check()

    def _until_later(self, seconds: float, cure: Callable[[], None]) -> None:
        self._healing.append(cure)

        def over() -> None:
            if cure in self._healing:
                self._healing.remove(cure)
                cure()

        self._world.hub.after(seconds, over)

    # engines and persons

    def engine_kill(self, fault: Fault) -> None:
        self._world.engines.kill(fault.lasts)

    def engine_freeze(self, fault: Fault) -> None:
        self._world.engines.freeze(max(0.05, fault.lasts))

    def second_engine(self, _: Fault) -> None:
        self._world.engines.start()

    def clock_jump(self, fault: Fault) -> None:
        self._world.engines.clock.jump(fault.lasts)

    def person(self, fault: Fault) -> None:
        self._world.persons.say(fault.of, fault.lasts)

    # effects and looks

    def effect(self, fault: Fault) -> None:
        self._world.disturbances.acts[fault.of] = (fault.kind, fault.lasts)

    def look(self, fault: Fault) -> None:
        self._world.disturbances.looks[fault.of] = (fault.kind, self._world.hub.seconds + fault.lasts)

    # parts

    def database_kill(self, fault: Fault) -> None:
        server = self._world.servers_of_data[fault.side]
        if server.up:
            server.crash()
            self._until_later(fault.lasts, server.start)

    def router_down(self, fault: Fault) -> None:
        router, metrics = self._world.router, self._world.metrics
        if not router.up:
            return

        def back() -> None:
            metrics.restart()
            router.start()

        router.stop()
        self._until_later(min(fault.lasts, 20.0), back)

    def router_forgets(self, _: Fault) -> None:
        if self._world.router.up:
            self._world.metrics.restart()
            self._world.router.forget()

    def checks_fail(self, fault: Fault) -> None:
        checks = self._world.checks
        checks.failing = True
        self._until_later(fault.lasts, lambda: setattr(checks, "failing", False))

    def link_cut(self, fault: Fault) -> None:
        wan = self._world.databases.wan
        wan.up = False
        self._until_later(fault.lasts, lambda: setattr(wan, "up", True))

    def link_slow(self, fault: Fault) -> None:
        wan, usual = self._world.databases.wan, self._world.scenario.round_trip
        wan.round_trip = usual + self._rng.choice((0.1, 0.5, 2.0))
        self._until_later(fault.lasts, lambda: setattr(wan, "round_trip", usual))

    def connections_break(self, fault: Fault) -> None:
        for break_off in list(self._world.servers_of_data[fault.side].clients.values()):
            break_off()

    def slot_dropped(self, fault: Fault) -> None:
        self._world.servers_of_data[fault.side].drop_slot(channel(fault.side))

    def slot_made_anew(self, fault: Fault) -> None:
        server, name = self._world.servers_of_data[fault.side], channel(fault.side)
        if name in server.slots:
            server.drop_slot(name)
            server.make_slot(name)

    def long_transaction(self, fault: Fault) -> None:
        self._world.users.write_slowly(fault.side, fault.lasts)

    def disk_full(self, fault: Fault) -> None:
        server = self._world.servers_of_data[fault.side]
        server.disk_full = True
        self._until_later(fault.lasts, lambda: setattr(server, "disk_full", False))

    def rogue_writer(self, fault: Fault) -> None:
        """Somebody whom no fence stops writes where nobody should. His writes are nobody's promise."""
        server = self._world.servers_of_data[fault.side]
        server.write("rogue-1", role="postgres", seconds=0.01, done=lambda _: None)

    def row_damaged(self, _: Fault) -> None:
        """A row is lost on the side that takes no writes."""
        for server in self._world.servers_of_data.values():
            table = server.tables.get(ENTRIES)
            if isinstance(table, Entries) and table.rows and not server.app_may_write():
                number = next(reversed(table.rows))
                self._world.users.excused.add(table.rows[number])
                table.put(number, None)


_FAULTS: dict[str, Callable[[Injector, Fault], None]] = {
    "engine-kill": Injector.engine_kill,
    "engine-freeze": Injector.engine_freeze,
    "second-engine": Injector.second_engine,
    "clock-jump": Injector.clock_jump,
    "person": Injector.person,
    "effect-fails": Injector.effect,
    "effect-lies": Injector.effect,
    "effect-slow": Injector.effect,
    "look-missing": Injector.look,
    "look-old": Injector.look,
    "look-slow": Injector.look,
    "look-wrong": Injector.look,
    "database-kill": Injector.database_kill,
    "router-down": Injector.router_down,
    "router-forgets": Injector.router_forgets,
    "checks-fail": Injector.checks_fail,
    "link-cut": Injector.link_cut,
    "connections-break": Injector.connections_break,
    "link-slow": Injector.link_slow,
    "long-transaction": Injector.long_transaction,
    "disk-full": Injector.disk_full,
    "slot-dropped": Injector.slot_dropped,
    "slot-made-anew": Injector.slot_made_anew,
    "rogue-writer": Injector.rogue_writer,
    "row-damaged": Injector.row_damaged,
}
