"""All parts of one run together: the real engine, runbook and roles' ports, and everything outside as a model."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from crossfade.engine.engine import ENGINE, Engine
from crossfade.engine.world import Roles, RolesWorld
from crossfade.invariants import Rules
from crossfade.invariants import Violation as Broken
from crossfade.model import ends
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import (
    EndReached,
    EndWanted,
    FailBackDecided,
    MigrationEnded,
    MigrationPlanned,
    PhaseEntered,
    RollbackDecided,
)
from crossfade.model.seen import Seen
from crossfade.model.terms import Side
from crossfade.simulation import truth
from crossfade.simulation.again import LaterCutover
from crossfade.simulation.chances import chances
from crossfade.simulation.crossing import Crossing, Disturbances
from crossfade.simulation.engines import CrashingJournal, EngineClock, Engines, SeenWorld
from crossfade.simulation.history import History
from crossfade.simulation.hub import Hub
from crossfade.simulation.injector import Injector
from crossfade.simulation.metrics import SimulatedMetrics
from crossfade.simulation.persons import Persons
from crossfade.simulation.postgres.catalog import ENTRIES
from crossfade.simulation.postgres.databases import Databases
from crossfade.simulation.postgres.tables import Entries
from crossfade.simulation.router import SimulatedRouter
from crossfade.simulation.rules import Told, Violation, of_the_end
from crossfade.simulation.scenario import Scenario
from crossfade.simulation.shadow import SimulatedShadow
from crossfade.simulation.shared_journal import SharedJournal
from crossfade.simulation.sites import SimulatedChecks, SimulatedFiles, SimulatedNetwork, SimulatedServers
from crossfade.simulation.users import Users
from crossfade.simulation.verifier import SimulatedVerifier

START = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
_CROWD = 2.5
"""Seconds from the wish to switch in which users come densely."""


class SimulatedWorld:
    """Built from a scenario, then `run.py` lets it happen."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.hub = hub = Hub(START)
        self.history = History(hub)
        self.violations: list[Violation] = []
        self.ended: MigrationEnded | None = None
        self.turned_by = ""
        self.events: Counter[str] = Counter()
        self.disturbances = Disturbances()
        self._rules = Rules()
        self._seen: dict[str, Seen] = {}

        def rng(name: str) -> Any:
            return chances(scenario.seed, name)

        self.journal = SharedJournal()
        self.journals = [self.journal]
        self.healed = False
        self.later_cutover = LaterCutover(self)
        self.injector = Injector(self, scenario.faults, rng("injector"))
        self.databases = Databases(
            hub, rng("databases"), engine_at=scenario.engine_at, retry_seconds=scenario.retry_seconds
        )
        self.databases.wan.round_trip = scenario.round_trip
        self.servers_of_data = {side: self.databases[side] for side in Side}
        self.router = SimulatedRouter(hub, rng("router"))
        self.metrics = SimulatedMetrics(hub, self.router, scenario, rng("metrics"))
        self.shadow = SimulatedShadow(hub, self.router, scenario.wrong_answers, rng("shadow"))
        self.app_servers = SimulatedServers(hub, rng("servers"))
        self.files = SimulatedFiles(hub, rng("files"))
        self.checks = SimulatedChecks(hub, rng("checks"), self.app_servers)
        self.verifier = SimulatedVerifier(hub, rng("verifier"), self.servers_of_data)
        self.network = SimulatedNetwork(lambda: self.databases.wan.up)
        self.users = Users(hub, rng("users"), self.servers_of_data, self._route, self._reaches)
        self.persons = Persons(hub, rng("persons"), self.journal, self._copy_what_is_missing)
        self.engines = Engines(hub, rng("engines"), partial(self._engine, self.journal), partial(self.note, "engine"))
        self._open = {side: server.app_may_write() for side, server in self.servers_of_data.items()}
        self._rng = rng
        self._listen()

    # what others ask

    def occur(self, place: str) -> None:
        self.injector.occur(place)

    def note(self, who: str, what: str) -> None:
        self.history.note(who, what)

    def violated(self, rule: str, what: str) -> None:
        if any(found.rule == rule for found in self.violations):
            return  # the first of a kind tells; the others follow from it
        self.violations.append(Violation(rule=rule, at=self.hub.seconds, what=what))
        self.history.note("rule", f"VIOLATED: {rule}: {what}")

    def begin(self) -> None:
        self.journal.append([MigrationPlanned(plan=self.scenario.plan)], expected=0, at=self.hub.now(), by="simulation")
        self.users.start()
        self.engines.start()

    def go_on(self, planned: MigrationPlanned) -> None:
        """With a second journal. Whoever is still at the first may find out late that it has ended."""
        self.journal = SharedJournal()
        self.journals.append(self.journal)
        self._rules, self._seen, self.turned_by = Rules(), {}, ""
        self.persons = Persons(self.hub, self._rng("later persons"), self.journal, self._copy_what_is_missing)
        self.journal.listeners.insert(0, self._hear)
        at = max(self.hub.now(), self.journals[0].read()[-1].at)
        self.journal.append([planned], expected=0, at=at, by="simulation")
        engine, note = partial(self._engine, self.journal), partial(self.note, "engine")
        self.engines = Engines(self.hub, self._rng("later engines"), engine, note, after=self.engines)
        self.engines.start()

    def heal(self) -> None:
        """Whatever is still broken and can heal by itself, does."""
        self.healed = True
        self.note("world", "everything works again")
        self.injector.heal()

    def audit(self) -> None:
        """The rules of the end, once all is quiet."""
        self.later_cutover.audit()
        faults = self.injector.happened
        found = of_the_end(
            self.ended,
            self.servers_of_data,
            self.users,
            self.router.percent,
            faults,
            Told(turned_by=self.turned_by, named=truth.named_to_people(self.journal.read())),
        )
        for rule, what in found:
            self.violated(rule, what)
        wrong = self.scenario.wrong_answers and self.scenario.plan.mirror_percent
        may_err = {"judge", "shadow"}  # seldom
        healthy = not self.scenario.canary.worse and not wrong and self.turned_by not in may_err
        for rule, what in truth.of_the_shadow(self.ended, self.journal.read(), wrong=bool(wrong)):
            self.violated(rule, what)
        for rule, what in truth.of_the_end(self.ended, self.servers_of_data, self.router, faults, healthy=healthy):
            self.violated(rule, what)

    # the parts, as they are put together

    def database_from(self, whose: str) -> Any:
        """The databases as `whose` reaches them."""
        return self._crossing(whose, "database", self.databases.role(at=None))

    def _crossing(self, whose: str, name: str, role: Any) -> Any:
        return Crossing(
            name,
            role,
            hub=self.hub,
            rng=self._rng(f"crossing-{whose}-{name}"),
            disturbances=self.disturbances,
            occur=self.occur,
        )

    def _engine(self, shared: SharedJournal, clock: EngineClock) -> Engine:
        number = self.engines.started
        crossing = partial(self._crossing, str(number))
        roles = Roles(
            database=crossing(
                "database", self.databases.role(at=self._at_point if self.scenario.step_by_step else None)
            ),
            router=crossing("router", self.router),
            metrics=crossing("metrics", self.metrics),
            servers=crossing("servers", self.app_servers),
            files=crossing("files", self.files),
            network=crossing("network", self.network),
            checks=crossing("checks", self.checks),
            verifier=crossing("verifier", self.verifier),
            shadow=crossing("shadow", self.shadow),
        )
        journal = CrashingJournal(shared, self.hub, self._rng(f"journal-{number}"), self.occur)
        world = SeenWorld(RolesWorld(roles, clock), self._saw)
        return Engine(journal=journal, world=world, clock=clock)

    def _listen(self) -> None:
        self.journal.listeners.insert(0, self._hear)
        for server in self.servers_of_data.values():
            server.on_grant_change.append(self._granted)
        self.router.on_change.append(self._share_changed)

    def _route(self, user: float) -> Side | None:
        side = self.router.arm_of(user)
        return side if side is not None and self.app_servers.takes_users(side) else None

    def _at_point(self, point: str) -> None:
        self.occur(f"point:{point}")

    def _reaches(self, server: Side, database: Side) -> bool:
        return server is database or self.databases.wan.up

    def _copy_what_is_missing(self) -> None:
        """By hand and past the fence: the closed side gets the rows that it lacks, but for those on their way to it."""
        for side, server in self.servers_of_data.items():
            other = self.servers_of_data[side.other]
            here, there = server.tables.get(ENTRIES), other.tables.get(ENTRIES)
            if server.up and not server.app_may_write() and isinstance(here, Entries) and isinstance(there, Entries):
                coming = server.on_their_way(ENTRIES)
                for number, key in there.rows.items():
                    if number not in here.rows and key not in here.keys and number not in coming:
                        here.put(number, key)
        self.note("person", "copies the rows that are missing")

    # what is watched

    def _saw(self, seen: Seen) -> None:
        if self.hub.current is not None:
            self._seen[self.hub.current.name] = seen

    def _granted(self, server: Any) -> None:
        is_open = server.app_may_write()
        if self._open.get(server.side) is is_open:
            return
        self._open[server.side] = is_open
        self.note(str(server.side), "takes writes" if is_open else "takes no writes")
        self.check()

    def check(self) -> None:
        """The rules that what stands outside may break at any moment."""
        source, target = (self.servers_of_data[side].app_may_write() for side in Side)
        self._report(self._rules.saw_writers(self.hub.now(), source_open=source, target_open=target))
        alive = truth.way_back_lives(self.servers_of_data)
        self._report(self._rules.saw_way_back(self.hub.now(), alive=alive, fault=self.injector.broke_way_back))

    def _share_changed(self, before: float, after: float) -> None:
        self.note("router", f"{before:g} % → {after:g} %")
        self._report(self._rules.saw_share(self.hub.now(), after, by_hand=self.router.by_hand))

    def _report(self, broken: Iterable[Broken]) -> None:
        for one in broken:
            self.violated(str(one.rule), one.what)

    def _hear(self, entry: Entry) -> None:
        event = entry.event
        self.events[event.kind] += 1
        self.history.note(entry.by, _words(event))
        engine = self.hub.current
        seen = self._seen.get(engine.name) if engine is not None and entry.by == ENGINE else None
        self._report(self._rules.hear(entry, seen))
        self.check()
        for rule, what in truth.of_an_entry(event, self.servers_of_data, self.router, self.injector.happened):
            self.violated(rule, what)
        place = ""
        match event:
            case PhaseEntered(phase=phase):
                place = f"phase:{phase}"
            case EndWanted(end=end):
                place = f"wanted:{end.kind}"
                if isinstance(end, ends.WriterIs | ends.SwitchPrepared):
                    self.users.crowd(_CROWD)
            case EndReached(end=end):
                place = f"reached:{end.kind}"
            case RollbackDecided(cause=cause) | FailBackDecided(cause=cause):
                place, self.turned_by = "turned", cause
            case MigrationEnded():
                self.ended = event
        if place:
            self.hub.after(0.0, lambda: self.occur(place))


def _words(event: Any) -> str:
    """An event as a line of the history: its kind, what it is about, and why."""
    about = []
    for name in ("end", "phase", "gate", "verdict", "guard", "outcome", "cause", "reason"):
        value = getattr(event, name, None)
        if value:
            about.append(_end_in_words(value) if name == "end" else str(value))
    return f"{event.kind} {': '.join(about)}".strip()


def _end_in_words(end: End) -> str:
    given = [f"{name} {getattr(end, name)}" for name in end.__dataclass_fields__ if name != "kind"]
    return f"{end.kind} ({', '.join(given)})" if given else end.kind
