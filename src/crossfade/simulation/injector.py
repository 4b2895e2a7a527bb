"""Brings about the faults that a scenario drew, where and when it drew them, and heals them."""

from collections import Counter, defaultdict
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from crossfade.simulation.faults import Fault

if TYPE_CHECKING:
    from crossfade.simulation.world import SimulatedWorld


class Injector:
    """`occur` is told each place that the run comes by. `happened` counts the faults that came to be."""

    def __init__(self, world: "SimulatedWorld", faults: tuple[Fault, ...], rng: Random) -> None:
        self._world, self._rng = world, rng
        self._waiting: dict[str, list[Fault]] = defaultdict(list)
        for fault in faults:
            self._waiting[fault.place].append(fault)
        self._passed: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()
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
        self.happened[fault.kind] += 1
        self._world.note("fault", str(fault))
        _FAULTS[fault.kind](self, fault)

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

    def second_engine(self, fault: Fault) -> None:
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

    def router_forgets(self, fault: Fault) -> None:
        if self._world.router.up:
            self._world.metrics.restart()
            self._world.router.forget()

    def checks_fail(self, fault: Fault) -> None:
        checks = self._world.checks
        checks.failing = True
        self._until_later(fault.lasts, lambda: setattr(checks, "failing", False))

    def link_cut(self, fault: Fault) -> None:
        world = self._world
        world.link_up = False
        self._until_later(fault.lasts, lambda: setattr(world, "link_up", True))

    def not_yet(self, fault: Fault) -> None:
        """For the databases of the simulation."""


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
    "link-slow": Injector.not_yet,
    "long-transaction": Injector.not_yet,
    "disk-full": Injector.not_yet,
    "slot-dropped": Injector.not_yet,
    "slot-made-anew": Injector.not_yet,
    "rogue-writer": Injector.not_yet,
    "row-damaged": Injector.not_yet,
}
