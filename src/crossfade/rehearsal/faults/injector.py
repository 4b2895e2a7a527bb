"""Brings faults about when their place is reached, and ends those that last only a while."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crossfade.model import ends
from crossfade.model.entry import Entry
from crossfade.model.events import EndReached, FailBackDecided, PhaseEntered, RollbackDecided
from crossfade.model.terms import Side
from crossfade.rehearsal import wan
from crossfade.rehearsal.data_center import DataCenter
from crossfade.rehearsal.faults.grammar import Fault
from crossfade.rehearsal.wan_line import Cut

_INCIDENT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault that was brought about, and when."""

    fault: Fault
    at: datetime


class Injector:
    """`kill_engine` ends the engine as a power cut would; `now` is the clock by which the users' record is read."""

    def __init__(
        self,
        faults: Sequence[Fault],
        data_center: DataCenter,
        *,
        kill_engine: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._waiting = [fault for fault in faults if fault.where.point is None]
        self._data_center, self._kill_engine, self._now = data_center, kill_engine, now
        self._lasting: list[Fault] = []
        self._ending: list[tuple[float, Fault]] = []
        self._usual_round_trip = data_center.round_trip
        self.struck: list[Struck] = []

    def hear(self, entry: Entry) -> None:
        """Whatever this event calls for: faults whose place is reached, and the end of those whose time is over."""
        event = entry.event
        if isinstance(event, PhaseEntered | RollbackDecided | FailBackDecided):
            self._end(self._lasting)
            self._lasting = []
        due = [fault for fault in self._waiting if _is_reached(fault, entry)]
        self._waiting = [fault for fault in self._waiting if fault not in due]
        for fault in due:
            self._strike(fault)

    def tick(self) -> None:
        """End the faults that have lasted long enough."""
        over = [fault for until, fault in self._ending if time.monotonic() >= until]
        self._ending = [(until, fault) for until, fault in self._ending if fault not in over]
        self._end(over)

    def _strike(self, fault: Fault) -> None:
        self.struck.append(Struck(fault=fault, at=self._now()))
        match fault.kind.name:
            case "canary-latency" | "canary-errors":
                self._lasting.append(fault)
                self._show_faults()
            case "common-errors":
                self._ending.append((time.monotonic() + _INCIDENT_S, fault))
                self._show_faults()
            case "controller-kill":
                self._kill_engine()
            case "router-kill":
                self._data_center.kill("router")
            case "app-kill":
                self._kill_a_server_of_each_side()
            case "source-db-kill":
                self._data_center.clusters[Side.SOURCE].kill()
            case "target-db-kill":
                self._data_center.clusters[Side.TARGET].kill()
            case "wan-latency":
                self._lasting.append(fault)
                self._wan().set_round_trip(self._usual_round_trip + timedelta(seconds=fault.amount or 0.0))
            case "wan-cut":
                self._ending.append((time.monotonic() + (fault.amount or 0.0), fault))
                self._wan().cut(Cut.STALL)

    def _end(self, over: Sequence[Fault]) -> None:
        for fault in over:
            if fault.kind.name == "wan-latency":
                self._wan().set_round_trip(self._usual_round_trip)
            elif fault.kind.name == "wan-cut":
                self._wan().heal()
        if over:
            self._lasting = [fault for fault in self._lasting if fault not in over]
            self._show_faults()

    def _show_faults(self) -> None:
        """What the servers of each side shall show now, all faults together."""
        active = [*self._lasting, *(fault for _, fault in self._ending)]
        common = _sum(active, "common-errors")
        source, target = self._data_center.launchers[Side.SOURCE], self._data_center.launchers[Side.TARGET]
        source.set_faults(error_percent=common)
        target.set_faults(
            latency_percent=_sum(active, "canary-latency"), error_percent=common + _sum(active, "canary-errors")
        )

    def _kill_a_server_of_each_side(self) -> None:
        for launcher in self._data_center.launchers.values():
            running = launcher.instances()
            if running:
                launcher.kill(running[0].name)

    def _wan(self) -> wan.WanControl:
        return wan.WanControl(port=self._data_center.layout.ports.wan_control)


def point_of(faults: Sequence[Fault]) -> str | None:
    """The point of the switch at which the engine is to be killed, if one is named."""
    return next((fault.where.point for fault in faults if fault.where.point is not None), None)


def needs_wan(faults: Sequence[Fault]) -> bool:
    return any(fault.kind.name.startswith("wan-") for fault in faults)


def _is_reached(fault: Fault, entry: Entry) -> bool:
    event, where = entry.event, fault.where
    if where.share is not None:
        return isinstance(event, EndReached) and event.end == ends.SharesAre(canary_percent=where.share)
    return isinstance(event, PhaseEntered) and event.phase is where.phase


def _sum(active: Sequence[Fault], name: str) -> float:
    return min(sum(fault.amount or 0.0 for fault in active if fault.kind.name == name), 10_000.0)
