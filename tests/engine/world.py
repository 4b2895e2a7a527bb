"""A world in which everything works unless a test says otherwise; time is virtual."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TypeVar

from crossfade.engine.clock import VirtualClock
from crossfade.engine.engine import Engine
from crossfade.journal.memory import MemoryJournal
from crossfade.model import ends
from crossfade.model.counts import ArmCounts, ArmReading, LatencyHistogram
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import EndMissed, EndReached, Event, MigrationPlanned
from crossfade.model.plan import LadderStep, Plan
from crossfade.model.seen import (
    NOT_ASKED,
    FileSync,
    Link,
    Replication,
    Seen,
    ServerState,
    ServerStatus,
    Shares,
    SourceHealth,
    WayBack,
    Writer,
)
from crossfade.model.terms import NoData, Phase, Side, Sighting
from crossfade.runbook.evolve import fold
from crossfade.runbook.state import State
from crossfade.shadowing.memory import InMemoryShadow

E = TypeVar("E")
START = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
EDGES = (5.0, 10.0, 15.0, 20.0, 30.0, 50.0)
HEALTHY = (0.05, 0.30, 0.30, 0.20, 0.10, 0.04, 0.01)


def plan(**changes: object) -> Plan:
    settings: dict[str, object] = {
        "migration": "ledger-test",
        "ladder": tuple(LadderStep(percent=p, bake=timedelta(seconds=20)) for p in (5.0, 25.0, 50.0, 90.0, 100.0)),
        "warm_up": timedelta(seconds=1),
        "bake": timedelta(seconds=30),
        "approvals": (),
    }
    return Plan(**(settings | changes))  # type: ignore[arg-type]  # a test names fields of Plan


@dataclass
class ScriptedWorld:
    """Both arms get 300 requests a second by their share. Hooks change what is seen or how ends turn out.

    While requests are mirrored, `pairs_a_second` are compared; one in `wrong_every` differs in the candidate, one in
    `noise_every` in the control (0: none). `hear(end)` is called before an end is brought about; what it returns, if
    anything, is the outcome.
    """

    clock: VirtualClock
    rate: float = 300.0
    canary_error_rate: float = 0.0
    common_error_rate: float = 0.0
    canary_shape: tuple[float, ...] = HEALTHY
    blind: set[str] = field(default_factory=set)
    hear: Callable[[End], EndReached | EndMissed | None] = lambda _: None
    retained_wal_bytes: int = 0
    boot: str = "1"
    reached: list[End] = field(default_factory=list)
    percent: float = 0.0
    mirrored: float = 0.0
    shadow: InMemoryShadow = field(default_factory=InMemoryShadow)
    pairs_a_second: int = 100
    wrong_every: int = 0
    noise_every: int = 0
    writer: Side = Side.SOURCE
    way_back_alive: bool = True
    both_write: bool = False
    links: dict[str, bool] = field(default_factory=lambda: {"vpn": True, "direct connect": True})
    connections: int = 20
    free_disk_bytes: int | None = None
    ask_source: Callable[[], SourceHealth | NoData] | None = None
    _counts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0] * (len(HEALTHY) + 2)))
    _counted_until: datetime = START
    _pairs: int = 0

    def bring_about(self, end: End, order: int = 0) -> EndReached | EndMissed:
        self._count()
        scripted = self.hear(end)
        if isinstance(scripted, EndMissed):
            return scripted
        self.reached.append(end)
        if isinstance(end, ends.SharesAre):
            self.percent = end.canary_percent
        if isinstance(end, ends.MirrorIs):
            self.mirrored = end.percent
        if isinstance(end, ends.WriterIs):
            self.writer = end.side
        return scripted or EndReached(end=end)

    def look(self, fields: frozenset[str], writer: Side) -> Seen:
        self._count()
        at = self.clock.now()
        values: dict[str, object] = {
            "arms": self._reading(),
            "shares": Shares(canary_percent=self.percent, mirror_percent=self.mirrored),
            "shadow": self.shadow.reading(),
            "drained": True,
            "replication": Replication(
                primary=writer,
                tables=5,
                tables_copied=5,
                lag_bytes=100,
                lag=timedelta(milliseconds=20),
                retained_wal_bytes=self.retained_wal_bytes,
                applying=True,
            ),
            "way_back": WayBack(primary=writer, built=True, proven=self.way_back_alive, lag_bytes=0),
            "writer": Writer(
                source_open=self.writer is Side.SOURCE or self.both_write,
                source_epoch=0,
                target_open=self.writer is Side.TARGET,
                target_epoch=0,
            ),
            "servers": (ServerStatus(name="a", state=ServerState.READY_FOR_TEST, instance_running=True),),
            "links": tuple(Link(name=name, up=up, redundant=True) for name, up in self.links.items()),
            "source": self.ask_source() if self.ask_source else self._source(),
            "files": FileSync(primary=writer, files=10, bytes=100, pending=0, lag=None),
        }
        seen = {
            name: Sighting(at=at, value=self._visible(name, value) if name in fields else NOT_ASKED)
            for name, value in values.items()
        }
        return Seen(at=at, **seen)  # type: ignore[arg-type]  # the names are those of Seen

    def _source(self) -> SourceHealth:
        return SourceHealth(
            connections=self.connections,
            most_connections=100,
            our_sessions=3,
            wal_bytes=10**8,
            slot_wal_limit_bytes=None,
            free_disk_bytes=self.free_disk_bytes,
            look=timedelta(milliseconds=3),
        )

    def _visible(self, name: str, value: object) -> object:
        return NoData(reason="out of sight") if name in self.blind else value

    def _count(self) -> None:
        now = self.clock.now()
        requests = self.rate * (now - self._counted_until).total_seconds()
        compared = int(self.pairs_a_second * (now - self._counted_until).total_seconds()) if self.mirrored else 0
        self._counted_until = now
        for _ in range(compared):
            self._pairs += 1
            wrong = int(self.wrong_every > 0 and self._pairs % self.wrong_every == 0)
            noise = int(self.noise_every > 0 and self._pairs % self.noise_every == 1)
            self.shadow.compare(1, wrong=wrong, noise=noise)
        for arm, share, errors, shape in (
            ("baseline", 1 - self.percent / 100, self.common_error_rate, HEALTHY),
            ("canary", self.percent / 100, self.common_error_rate + self.canary_error_rate, self.canary_shape),
        ):
            counts = self._counts[arm]
            counts[0] += requests * share
            counts[1] += requests * share * errors
            for bin_, weight in enumerate(shape):
                counts[2 + bin_] += requests * share * weight

    def _reading(self) -> ArmReading:
        return ArmReading(boot=self.boot, baseline=self._arm("baseline"), canary=self._arm("canary"))

    def _arm(self, arm: str) -> ArmCounts:
        requests, errors, *bins = self._counts[arm]
        latency = LatencyHistogram(edges_ms=EDGES, counts=tuple(int(count) for count in bins))
        return ArmCounts(requests=int(requests), errors=int(errors), latency=latency)


@dataclass
class Bench:
    """A journal, a clock, a world, and engines made anew as often as a test wants."""

    plan: Plan
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    world: ScriptedWorld = field(init=False)
    _read: MemoryJournal | None = None
    _entries: list[Entry] = field(default_factory=list)
    _state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        self.world = ScriptedWorld(clock=self.clock)
        self.journal.append([MigrationPlanned(plan=self.plan)], expected=0, at=self.clock.now(), by="test")

    def engine(self) -> Engine:
        return Engine(journal=self.journal, world=self.world, clock=self.clock)

    def say(self, event: Event, by: str = "ann") -> None:
        self.journal.append([event], expected=len(self.entries), at=self.clock.now(), by=by)

    def events(self, kind: type[E]) -> list[E]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    def run_until(self, done: Callable[["Bench"], bool], *, most: int = 5000) -> None:
        """Ticks until `done` says so; fails when it never does."""
        engine = self.engine()
        for _ in range(most):
            if done(self):
                return
            again = engine.tick()
            if again is None:
                break
            self.clock.sleep_until(again)
        assert done(self), f"never happened; last: {self.entries[-3:]}"

    @property
    def entries(self) -> list[Entry]:
        """All of the journal."""
        self._catch_up()
        return self._entries

    @property
    def state(self) -> State:
        """What follows from the journal."""
        self._catch_up()
        return self._state

    @property
    def phase(self) -> Phase | None:
        return self.state.phase

    def _catch_up(self) -> None:
        """What was read before is not read again: a test may ask at each tick. A later cutover has another journal."""
        if self._read is not self.journal:
            self._read, self._entries, self._state = self.journal, [], State()
        new = self.journal.read(len(self._entries))
        self._entries.extend(new)
        self._state = fold(new, self._state)


def shares(bench: Bench) -> list[float]:
    """The shares one after the other. What is set again moves nobody, and is one share."""
    reached = [end.canary_percent for end in bench.world.reached if isinstance(end, ends.SharesAre)]
    return [share for share, _ in groupby(reached)]


def missed(end: End, *, retryable: bool = True, **facts: str | None) -> EndMissed:
    return EndMissed(end=end, reason="it would not", remedy="try", retryable=retryable, facts=facts)
