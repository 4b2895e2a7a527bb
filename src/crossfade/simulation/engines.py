"""The engines of one migration: one after another as they die, sometimes two at once, each with a clock of its own."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from crossfade.engine.engine import Engine
from crossfade.engine.world import RolesWorld
from crossfade.journal.port import Journal
from crossfade.model import ends
from crossfade.model.entry import Entry
from crossfade.model.events import EndMissed, EndReached, Event
from crossfade.model.seen import Seen
from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub, Process

Occur = Callable[[str], None]
SeenBy = Callable[[Seen], None]


class EngineClock:
    """The clock of the machine that an engine runs on; `jump` sets it, and no wait notices."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._offset = hub, timedelta()

    def now(self) -> datetime:
        return self._hub.now() + self._offset

    def sleep_until(self, moment: datetime) -> None:
        self._hub.sleep(max(0.0, (moment - self.now()).total_seconds()))

    def jump(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)


class CrashingJournal:
    """The journal as an engine reaches it: it may die before what it appends is durable, and after."""

    def __init__(self, journal: Journal, hub: Hub, rng: Random, occur: Occur) -> None:
        self._journal, self._hub, self._rng, self._occur = journal, hub, rng, occur

    def read(self, after: int = 0) -> tuple[Entry, ...]:
        return self._journal.read(after)

    def append(self, events: Sequence[Event], *, expected: int, at: datetime, by: str) -> int:
        self._occur("append.before")
        if self._rng.random() < 0.2:  # somebody else may come first
            self._hub.sleep(self._rng.uniform(0.0, 0.004))
        position = self._journal.append(events, expected=expected, at=at, by=by)
        self._occur("append.after")
        return position


class SeenWorld:
    """The engine's world; what it saw is told to whoever checks what was decided by it."""

    def __init__(self, world: RolesWorld, seen_by: SeenBy) -> None:
        self._world, self._seen_by = world, seen_by

    def look(self, fields: frozenset[str], writer: Side) -> Seen:
        seen = self._world.look(fields, writer)
        self._seen_by(seen)
        return seen

    def bring_about(self, end: ends.End, order: int) -> EndReached | EndMissed:
        return self._world.bring_about(end, order)


class Engines:
    """Starts engines and sees that there is one until the migration has ended."""

    def __init__(
        self,
        hub: Hub,
        rng: Random,
        start: Callable[[EngineClock], Engine],
        note: Callable[[str], None],
        *,
        after: "Engines | None" = None,
    ) -> None:
        """`after` are those of the journal before: names go on from theirs, and crashes are counted together."""
        self._hub, self._rng, self._make, self._note = hub, rng, start, note
        self.clock = EngineClock(hub)
        self.running: list[Process] = []
        self.started: int = after.started if after else 0
        self.crashes: int = after.crashes if after else 0
        self.ended = False

    def start(self) -> None:
        if self.ended:
            return
        self.started += 1
        engine = self._make(self.clock)
        process = self._hub.spawn(f"engine-{self.started}", lambda: self._carry_out(engine))
        self.running.append(process)
        self._note(f"{process.name} starts")

    def kill(self, restart_in: float) -> None:
        """The engine that started last dies; another takes up the migration in so many seconds."""
        awake = [process for process in self.running if process.alive]
        if not awake:
            return
        victim = self._hub.current if self._hub.current in awake else awake[-1]
        assert victim is not None
        self.crashes += 1
        self.running.remove(victim)
        self._note(f"{victim.name} dies")
        self._hub.after(restart_in, self.start)
        self._hub.kill(victim)

    def freeze(self, seconds: float) -> None:
        """An engine stands still, is taken for dead, and wakes."""
        awake = [process for process in self.running if process.alive and not process.frozen]
        if not awake:
            return
        victim = self._hub.current if self._hub.current in awake else awake[-1]
        assert victim is not None
        self._note(f"{victim.name} stands still for {seconds:.2f} s")
        if self._rng.random() < 0.7:
            self._hub.after(seconds * self._rng.uniform(0.0, 0.9), self.start)

        def wake() -> None:
            self._note(f"{victim.name} wakes")
            self._hub.thaw(victim)

        self._hub.after(seconds, wake)
        self._hub.freeze(victim)

    def _carry_out(self, engine: Engine) -> None:
        engine.run()
        self.ended = True
