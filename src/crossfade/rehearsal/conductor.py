"""`crossfade rehearse`: starts the data center and the engine, watches, injects faults, and brings the result home."""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crossfade.engine.engine import ENGINE
from crossfade.journal.port import VersionConflict
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.entry import Entry
from crossfade.model.events import (
    Approved,
    Earlier,
    Event,
    GateWaits,
    Held,
    MigrationEnded,
    MigrationPlanned,
    Released,
    RollbackRequested,
)
from crossfade.model.file import MigrationFile
from crossfade.model.plan import Plan, ReplicationLimits
from crossfade.model.progress import Progress
from crossfade.model.resolve import REHEARSAL
from crossfade.model.terms import Outcome
from crossfade.rehearsal.data_center import DataCenter
from crossfade.rehearsal.descendants import Descendants
from crossfade.rehearsal.faults.grammar import Fault
from crossfade.rehearsal.faults.injector import Injector, Struck, full_disks
from crossfade.rehearsal.faults.points import PointsHeard
from crossfade.rehearsal.faults.strikes import OPERATOR, Strikes
from crossfade.rehearsal.kept_engine import KeptEngine
from crossfade.rehearsal.layout import Layout
from crossfade.report.telemetry import TelemetryTail
from crossfade.runbook.again import earlier
from crossfade.runbook.evolve import evolve
from crossfade.runbook.phases import Gate
from crossfade.runbook.state import State

_TICK_S = 0.05
_TEND_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Where a rehearsal shows itself: what happened, and how things stand."""

    tell: Callable[[Entry], None]
    show: Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conducted:
    """What the conductor knows at the end; the users' record and the databases know the rest.

    `entries` are those of the newest journal, `earlier` those of the journals from which it goes on.
    `not_struck`: the faults asked for that were not brought about, each with its reason.
    """

    outcome: Outcome
    state: State
    entries: tuple[Entry, ...]
    struck: tuple[Struck, ...]
    began: datetime
    not_struck: tuple[str, ...] = ()
    earlier: tuple[tuple[Entry, ...], ...] = ()

    @property
    def journals(self) -> tuple[tuple[Entry, ...], ...]:
        return (*self.earlier, self.entries)


class Conductor:
    """Runs one rehearsal, or goes on with one. Whatever it started runs until `close`."""

    def __init__(self, layout: Layout, file: MigrationFile, plan: Plan, faults: Sequence[Fault]) -> None:
        self.layout, self._file, self._plan = layout, file, plan
        self.data_center = DataCenter(layout, file, fillable=full_disks(faults))
        self._earlier = read_all(layout.journals[:-1])
        self._journal = SqliteJournal(layout.journal)
        self._descendants = Descendants()
        self._entries: list[Entry] = []
        self._state = State()
        self._began: datetime | None = None
        self._struck: tuple[Struck, ...] = ()
        self._not_struck: tuple[str, ...] = ()
        self._telemetry = TelemetryTail(layout.telemetry)
        self._engine = KeptEngine(layout)
        self._strikes = Strikes(
            self.data_center, kill_engine=self._engine.kill, say=lambda event: self._say(event, OPERATOR)
        )
        self._injector = Injector(faults, self._strikes, now=lambda: datetime.now(UTC))
        self._points = PointsHeard(layout.root)

    def start(self, say: Callable[[str], None]) -> None:
        """Every part answers and users are at work. `say` is told what is being started."""
        self.data_center.start(say)
        if not self._journal.read():
            self._plan_it()

    def begin_again(self, as_left: Callable[[Earlier, ReplicationLimits], None]) -> None:
        """A later cutover, in a journal of its own, on what the newest journal left; without further faults.

        `as_left` raises unless the databases are as that journal left them. Raises `NotFailedBack` where it did not
        end so; whatever is raised, nothing was begun.
        """
        journals = (*self._earlier, self._journal.read())
        as_left(earlier(journals), self._plan.replication)
        self._injector.end_all()
        self._struck += tuple(self._injector.struck)
        self._not_struck += self._injector.not_struck()
        self._injector = Injector((), self._strikes, now=lambda: datetime.now(UTC))
        self._journal.close()
        self._journal = SqliteJournal(self.layout.next_journal)
        self._earlier, self._entries, self._state = journals, [], State()
        self._engine = KeptEngine(self.layout)
        self._telemetry.read()  # what was shown before, or long ago
        self._plan_it()

    def _plan_it(self) -> None:
        """The first entry of a journal. One that is empty was begun, after all was asked, and then interrupted."""
        after = earlier(self._earlier) if self._earlier else None
        at = max([datetime.now(UTC), *(journal[-1].at for journal in self._earlier)])
        self._journal.append([MigrationPlanned(plan=self._plan, after=after)], expected=0, at=at, by=REHEARSAL)

    def run(self, watcher: Watcher) -> Conducted:
        """Until the migration has ended."""
        self._began = began = self._began or datetime.now(UTC)
        tended = time.monotonic()
        while self._state.outcome is None:
            self._keep_engine(watcher)
            self._listen(watcher)
            self._injector.tick()
            if time.monotonic() - tended >= _TEND_EVERY_S:
                self.data_center.tend()
                tended = time.monotonic()
            self._await_points(watcher)
        self._engine.stop()
        return Conducted(
            outcome=self._state.outcome,
            state=self._state,
            entries=tuple(self._entries),
            struck=(*self._struck, *self._injector.struck),
            began=began,
            not_struck=(*self._not_struck, *self._injector.not_struck()),
            earlier=self._earlier,
        )

    def close(self) -> None:
        """Nothing that was started runs any more, nor anything that those have started; then this returns."""
        with ExitStack() as ending:  # the last that is put on it goes first, and one that fails keeps no other
            ending.callback(self._journal.close)
            ending.callback(self._descendants.end)
            ending.callback(self.data_center.stop)
            ending.callback(self._strikes.close)
            ending.callback(self._engine.stop)
            ending.callback(self._points.close)

    def discard(self) -> None:
        """The rehearsal's folder is gone."""
        shutil.rmtree(self.layout.root, ignore_errors=True)

    def _listen(self, watcher: Watcher) -> None:
        asked = held = False
        for entry in self._journal.read(after=len(self._entries)):
            self._entries.append(entry)
            self._state = evolve(self._state, entry.event, entry.at, entry.by)
            watcher.tell(entry)
            self._injector.hear(entry)
            if isinstance(entry.event, GateWaits) and entry.event.gate.startswith(Gate.APPROVED):
                asked = True
            elif isinstance(entry.event, Approved) and entry.by == REHEARSAL:
                asked = False
            if isinstance(entry.event, Held) and entry.by == ENGINE:
                held = True
            elif isinstance(entry.event, Released | RollbackRequested):
                held = False
        if asked and self._state.outcome is None:  # a resume hears again what was answered long ago
            self._approve()
        if held and self._state.outcome is None:
            self._go_back()
        for progress in self._telemetry.read():
            watcher.show(progress)

    def _go_back(self) -> None:
        """Held because rows differ, and nobody else is there to be asked. If it is refused, somebody must look."""
        if self._state.differing is not None and self._file.rehearsal.approve:
            self._say(RollbackRequested(reason="a rehearsal goes back where rows differ"), REHEARSAL)

    def _approve(self) -> None:
        phase, waits = self._state.phase, self._state.approval_waited_for
        if phase is None or not self._file.rehearsal.approve:
            return
        share = waits.share if waits is not None else None
        self._say(Approved(phase=phase, share=share, reason="a rehearsal approves by itself"), REHEARSAL)

    def _say(self, event: Event, by: str) -> None:
        """A person's word stands in the journal, whatever the engine appends meanwhile; after the end there is none."""
        while True:
            entries = self._journal.read()
            if isinstance(entries[-1].event, MigrationEnded):
                return
            try:
                self._journal.append([event], expected=entries[-1].position, at=datetime.now(UTC), by=by)
            except VersionConflict:
                continue
            return

    def _await_points(self, watcher: Watcher) -> None:
        """A moment's pause, unless the engine comes to a point of a switch where faults are to strike."""
        at = self._points.wait(_TICK_S)
        if at is not None:
            with at:
                self._listen(watcher)
                self._injector.reached(at)

    def _keep_engine(self, watcher: Watcher) -> None:
        """The engine runs; after a crash it is started again and goes on."""
        if self._engine.alive:
            return
        self._listen(watcher)
        if self._state.outcome is None:
            self._engine.start(self._entries, self._injector.points)


def read_all(paths: Sequence[Path]) -> tuple[tuple[Entry, ...], ...]:
    """The journals at `paths`. Raises `JournalDamaged` or `JournalUnusable` for the first that does not hold."""
    found: list[tuple[Entry, ...]] = []
    for path in paths:
        with closing(SqliteJournal(path, read_only=True)) as journal:
            found.append(journal.read())
    return tuple(found)
