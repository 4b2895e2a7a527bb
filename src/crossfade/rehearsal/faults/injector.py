"""Brings faults about when their place is reached, and ends those that last only a while."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from crossfade.model.ends import WriterIs
from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import EndReached, FailBackDecided, PhaseEntered, RollbackDecided
from crossfade.model.terms import Side
from crossfade.rehearsal.faults.catalogue import Span
from crossfade.rehearsal.faults.database import SlotStays
from crossfade.rehearsal.faults.grammar import Fault
from crossfade.rehearsal.faults.points import AtPoint
from crossfade.rehearsal.faults.strikes import Strikes

_IN_THE_WAY = (CrossfadeError, psycopg.Error, SlotStays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault that was brought about, and when."""

    fault: Fault
    at: datetime


class Injector:
    """Each fault strikes once. `now` is the clock by which the users' record is read.

    `missed` are faults that could not be brought about when their place was reached, and why: their database was away.
    """

    def __init__(self, faults: Sequence[Fault], strikes: Strikes, *, now: Callable[[], datetime]) -> None:
        self._waiting, self._strikes, self._now = list(faults), strikes, now
        self._lasting: list[Fault] = []
        self._ending: list[tuple[float, Fault]] = []
        self._primary = Side.SOURCE
        self.struck: list[Struck] = []
        self.missed: list[tuple[Fault, str]] = []

    @property
    def points(self) -> frozenset[tuple[Side, str]]:
        """The points at which the engine shall wait: those of the faults that have not struck yet."""
        wheres = [fault.where for fault in self._waiting]
        return frozenset((where.switch_to, where.point) for where in wheres if where.point is not None)

    def not_struck(self) -> tuple[str, ...]:
        """What was asked for and not brought about, and why."""
        never = [f"{fault.text}: its place was not reached" for fault in self._waiting]
        return (*never, *(f"{fault.text}: {why}" for fault, why in self.missed))

    def hear(self, entry: Entry) -> None:
        """Whatever this event calls for: faults whose place is reached, and the end of those whose time is over."""
        event = entry.event
        if isinstance(event, EndReached) and isinstance(event.end, WriterIs):
            self._primary = event.end.side
        if isinstance(event, PhaseEntered | RollbackDecided | FailBackDecided):
            over, self._lasting = self._lasting, []
            self._end(over)
        self._strike([fault for fault in self._waiting if fault.is_due(entry)])

    def reached(self, at: AtPoint) -> None:
        """The engine stands at a point of a switch: returns when the faults of that point have been brought about."""
        self._primary = at.to if at.point == "opened" else at.to.other
        self._strike([fault for fault in self._waiting if fault.where.point and at.is_at(fault.where)])

    def tick(self) -> None:
        """End the faults that have lasted long enough."""
        over = [fault for until, fault in self._ending if time.monotonic() >= until]
        self._ending = [(until, fault) for until, fault in self._ending if fault not in over]
        self._end(over)

    def end_all(self) -> None:
        """Whatever lasts is over, and what was waiting for its place will not come."""
        over, self._lasting, self._ending = [*self._lasting, *(fault for _, fault in self._ending)], [], []
        self._end(over)

    def _strike(self, due: Sequence[Fault]) -> None:
        self._waiting = [fault for fault in self._waiting if fault not in due]
        for fault in due:
            at = self._now()
            try:
                self._strikes.begin(fault, self._primary)
            except _IN_THE_WAY as why:
                self.missed.append((fault, str(why) or type(why).__name__))
                continue
            self.struck.append(Struck(fault=fault, at=at))
            if fault.kind.span is Span.PHASE:
                self._lasting.append(fault)
            elif fault.lasts is not None:
                self._ending.append((time.monotonic() + fault.lasts.total_seconds(), fault))

    def _end(self, over: Sequence[Fault]) -> None:
        for fault in over:
            try:
                self._strikes.end(fault, self._primary)
            except _IN_THE_WAY as why:
                self.missed.append((fault, f"its end: {str(why) or type(why).__name__}"))


def needs_wan(faults: Sequence[Fault]) -> bool:
    return any(fault.kind.name.startswith(("wan-", "vpn-")) for fault in faults)


def full_disks(faults: Sequence[Fault]) -> frozenset[Side]:
    """The sides whose disks are going to be full."""
    named = {"source-disk-full": (Side.SOURCE,), "target-disk-full": (Side.TARGET,), "disk-full": tuple(Side)}
    return frozenset(side for fault in faults for side in named.get(fault.kind.name, ()))
