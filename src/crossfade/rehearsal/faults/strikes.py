"""How each kind of fault is brought about, and how it ends."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crossfade.model.events import Event, Held, Overridden, Released, RollbackRequested
from crossfade.model.terms import Side
from crossfade.rehearsal import wan
from crossfade.rehearsal.data_center import DataCenter
from crossfade.rehearsal.faults import site_clock
from crossfade.rehearsal.faults.database import DatabaseFaults
from crossfade.rehearsal.faults.grammar import Fault
from crossfade.rehearsal.ledger.database import DATABASE
from crossfade.rehearsal.part import Part
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.wan_line import Cut

OPERATOR = "a second person"
_JUMP = timedelta(hours=1)
_OVERRIDE = timedelta(minutes=1)
_SAME_AMOUNT_AT_MOST = 10_000.0


class Strikes:
    """`kill_engine` ends the engine as a power cut would; `say` puts a person's word into the journal."""

    def __init__(
        self, data_center: DataCenter, *, kill_engine: Callable[[], None], say: Callable[[Event], None]
    ) -> None:
        self._data_center, self._kill_engine, self._say = data_center, kill_engine, say
        self._databases = DatabaseFaults(
            lambda side, role: data_center.clusters[side].dsn(user=role, database=DATABASE)
        )
        self._active: list[Fault] = []
        self._hot_row = Part("hot row", self._launch_hot_row, lambda: True)
        self._usual_round_trip = data_center.round_trip

    def begin(self, fault: Fault, primary: Side) -> None:
        """Brought about when this returns. `primary` takes writes. Raises what keeps it from being brought about."""
        self._active.append(fault)
        begin, _ = self._table(fault, primary)
        try:
            begin()
        except BaseException:
            self._active.remove(fault)
            raise

    def end(self, fault: Fault, primary: Side) -> None:
        """What lasted is over. Raises likewise."""
        self._active.remove(fault)
        _, end = self._table(fault, primary)
        end()

    def close(self) -> None:
        """Nothing that was started for a fault runs any more."""
        self._databases.close()
        self._hot_row.stop()

    def _table(self, fault: Fault, primary: Side) -> tuple[Callable[[], None], Callable[[], None]]:
        """How the fault begins and how it ends."""
        center, databases = self._data_center, self._databases
        source, target = center.clusters[Side.SOURCE], center.clusters[Side.TARGET]
        rows = int(fault.amount or 0)
        return {
            "canary-latency": (self._show_faults, self._show_faults),
            "canary-errors": (self._show_faults, self._show_faults),
            "canary-conversion": (self._show_faults, self._show_faults),
            "wrong-answers": (self._show_faults, self._show_faults),
            "shadow-hang": (self._show_faults, self._show_faults),
            "common-errors": (self._show_faults, self._show_faults),
            "app-kill": (self._kill_a_server_of_each_side, _nothing),
            "router-kill": (lambda: center.kill("router"), _nothing),
            "controller-kill": (self._kill_engine, _nothing),
            "clock-jump": (lambda: self._jump(fault.word), _nothing),
            "operator-pulls": (lambda: self._pull(fault.word), lambda: self._let_go(fault.word)),
            "wan-latency": (lambda: self._set_round_trip(fault.amount or 0.0), lambda: self._set_round_trip(0.0)),
            "wan-cut": (self._cut, self._heal),
            "vpn-down": (lambda: self._set_primary_path(up=False), lambda: self._set_primary_path(up=True)),
            "source-db-kill": (source.kill, _nothing),
            "target-db-kill": (target.kill, _nothing),
            "disk-full": (center.clusters[primary].fill_disk, self._make_room),
            "source-disk-full": (source.fill_disk, source.make_room),
            "target-disk-full": (target.fill_disk, target.make_room),
            "long-transaction": (lambda: databases.begin_transaction(primary), databases.end_transaction),
            "hot-table": (self._hot_row.start, self._hot_row.stop),
            "slot-dropped": (lambda: databases.drop_slot(primary), _nothing),
            "slot-remade": (lambda: databases.remake_slot(primary), _nothing),
            "fence-bypass": (lambda: databases.bypass_fence(primary.other), _nothing),
            "wrong-rows": (lambda: databases.change_rows(Side.TARGET, rows), _nothing),
        }[fault.kind.name]

    def _show_faults(self) -> None:
        """What the servers of each side shall show now, all faults together."""
        common = self._sum("common-errors")
        source, target = self._data_center.launchers[Side.SOURCE], self._data_center.launchers[Side.TARGET]
        source.set_faults(error_percent=common)
        target.set_faults(
            latency_percent=self._sum("canary-latency"),
            error_percent=common + self._sum("canary-errors"),
            declined_percent=self._sum("canary-conversion"),
            wrong_percent=self._sum("wrong-answers"),
            hang_percent=100.0 if any(fault.kind.name == "shadow-hang" for fault in self._active) else 0.0,
        )

    def _sum(self, name: str) -> float:
        return min(sum(f.amount or 0.0 for f in self._active if f.kind.name == name), _SAME_AMOUNT_AT_MOST)

    def _kill_a_server_of_each_side(self) -> None:
        for launcher in self._data_center.launchers.values():
            running = launcher.instances()
            if running:
                launcher.kill(running[0].name)

    def _jump(self, word: str) -> None:
        site_clock.jump(self._data_center.layout.root, _JUMP if word == "forward" else -_JUMP)
        self._kill_engine()  # one that runs goes by a clock of its own: only a start reads the machine's

    def _pull(self, word: str) -> None:
        reason = "pulls the other way"
        words: dict[str, Event] = {
            "rollback": RollbackRequested(reason=reason),
            "hold": Held(reason=reason),
            "override": Overridden(reason=reason, until=datetime.now(UTC) + _OVERRIDE),
        }
        self._say(words[word])

    def _let_go(self, word: str) -> None:
        if word == "hold":
            self._say(Released(reason="lets go"))

    def _set_round_trip(self, more_seconds: float) -> None:
        self._wan().set_round_trip(self._usual_round_trip + timedelta(seconds=more_seconds))

    def _cut(self) -> None:
        self._wan().cut(Cut.STALL)

    def _heal(self) -> None:
        self._wan().heal()

    def _set_primary_path(self, *, up: bool) -> None:
        self._wan().set_path(wan.PRIMARY, up=up)

    def _wan(self) -> wan.WanControl:
        return wan.WanControl(port=self._data_center.layout.ports.wan_control)

    def _make_room(self) -> None:
        for cluster in self._data_center.clusters.values():  # the primary may be the other one by now
            cluster.make_room()

    def _launch_hot_row(self) -> Launch:
        dsns = {side: self._data_center.application_dsn(side, seen_from=side) for side in Side}
        words = ["--source", dsns[Side.SOURCE], "--target", dsns[Side.TARGET]]
        argv = [sys.executable, "-m", "crossfade.rehearsal.faults.hot_row", *words]
        log = self._data_center.layout.logs / "hot-row.log"
        return Launch(argv=argv, log=log, cwd=Path.cwd(), environment=os.environ)


def _nothing() -> None:
    """It was over at once."""
