"""The database role without a database: the same rules over two dictionaries, for tests of what stands on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from crossfade.database.errors import (
    FullLoadNotDone,
    ReplicationNotReady,
    SideUnreachable,
    SlotLost,
    StaleEpoch,
    TargetHoldsWrites,
)
from crossfade.database.port import SWITCH_POINTS
from crossfade.database.settings import channel
from crossfade.database.switch import nothing
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Finding, Replication, SwitchReport, WayBack, Writer
from crossfade.model.terms import NoData, Side

_TABLES = 3
_STEP = timedelta(milliseconds=5)


@dataclass(slots=True)
class _MemorySide:
    rows: dict[str, str] = field(default_factory=dict)
    open: bool = False
    epoch: int = 0
    reachable: bool = True


@dataclass(slots=True)
class InMemoryDatabase:
    """`write` is the application. Replication carries rows at each look, `looks_to_copy` looks after its start.

    To inject faults: `at` as in the real one (what it raises is a crash), `unreachable`, `lose_slot`, `findings`.
    """

    at: Callable[[str], None] = nothing
    findings: tuple[Finding, ...] = ()
    looks_to_copy: int = 1
    sides: dict[Side, _MemorySide] = field(
        default_factory=lambda: {Side.SOURCE: _MemorySide(open=True), Side.TARGET: _MemorySide()}
    )
    _schema: bool = False
    _looks: int | None = None
    _way_back: bool = False
    _live: Side | None = None
    _proven: int = 0
    _lost: Side | None = None
    _ended: bool = False

    # the application, and faults

    def write(self, key: str, value: str) -> bool:
        """Whether any side took the write; a write that is refused is to be tried again."""
        for state in self.sides.values():
            if state.open and state.reachable:
                state.rows[key] = value
                return True
        return False

    def unreachable(self, side: Side, *, back: bool = False) -> None:
        self.sides[side].reachable = back

    def lose_slot(self, publisher: Side) -> None:
        self._lost = publisher

    # the port

    def preflight(self) -> tuple[Finding, ...]:
        return self.findings

    def create_schema(self) -> None:
        self._reach()
        self._schema = True

    def start_replication(self) -> None:
        self._reach()
        self._keep_slot(Side.SOURCE)
        if not self._schema:
            raise ReplicationNotReady(Side.SOURCE, "the target has no schema")
        if self._looks is None:
            self._looks, self._live = 0, Side.SOURCE

    def complete_schema(self) -> None:
        self._reach()
        if self._copied() < _TABLES:
            raise FullLoadNotDone(_TABLES, self._copied())

    def build_way_back(self) -> None:
        self._reach()
        self._way_back = True

    def remove_replication(self) -> None:
        self._reach()
        if self._schema and self.sides[Side.TARGET].open:
            raise TargetHoldsWrites
        if self._ended:
            return
        self.sides[Side.SOURCE].open = True
        for state in self.sides.values():
            state.epoch = 0
        self.sides[Side.TARGET].rows.clear()
        self._schema, self._looks, self._way_back, self._live, self._lost, self._proven = (
            False, None, False, None, None, 0,
        )  # fmt: skip

    def prepare_switch(self, to: Side) -> None:  # noqa: ARG002 - the port's; here no side needs preparing
        self._reach()

    def switch(self, to: Side, epoch: int) -> SwitchReport:
        self._reach()
        old, new = self.sides[to.other], self.sides[to]
        for side, state in self.sides.items():
            if state.epoch > epoch or (side is to and old.open and state.epoch == epoch):
                raise StaleEpoch(epoch, side, state.epoch)
        if new.open:
            old.epoch = new.epoch = epoch
            return SwitchReport(to=to, epoch=epoch, write_window=timedelta(0), moments=(), resumed=True)
        resumed = not old.open
        for publisher in Side:
            self._keep_slot(publisher)
        if self._live is not to.other or self._copied() < _TABLES or not self._way_back:
            raise ReplicationNotReady(to.other, "its subscription is asleep or was not built")
        self._cross(old, new, epoch)
        within = SWITCH_POINTS[SWITCH_POINTS.index("fenced") :]
        moments = tuple((point, _STEP * number) for number, point in enumerate(within, start=1))
        return SwitchReport(to=to, epoch=epoch, write_window=moments[-1][1], moments=moments, resumed=resumed)

    def _cross(self, old: _MemorySide, new: _MemorySide, epoch: int) -> None:
        try:
            for point in SWITCH_POINTS:
                if point == "fenced":
                    old.open, old.epoch = False, epoch
                elif point == "drained":
                    self._carry()
                elif point == "opened":
                    new.open, new.epoch = True, epoch
                self.at(point)
        except CrossfadeError:
            if not new.open:
                old.open = True
            raise

    def wake_way_back(self, primary: Side) -> None:
        self._reach()
        self._keep_slot(primary)
        if not (self.sides[primary].open and self._way_back):
            raise ReplicationNotReady(primary, "this side does not take writes, or the way back was not built")
        self._live, self._proven = primary, self.sides[primary].epoch
        self._carry()

    def end_way_back(self) -> None:
        self._reach()
        self._way_back, self._live, self._looks, self._ended = False, None, None, True
        for state in self.sides.values():
            state.epoch = 0

    def replication(self, primary: Side) -> Replication | NoData:
        if unseen := self._unseen(primary):
            return unseen
        if self._looks is None:
            return NoData(reason="replication was not started")
        self._looks += 1
        applying = self._live is primary
        if applying and self._copied() == _TABLES:
            self._carry()
        return Replication(
            primary=primary,
            tables=_TABLES,
            tables_copied=self._copied(),
            lag_bytes=0,
            lag=timedelta(0) if applying else None,
            retained_wal_bytes=0,
            applying=applying,
        )

    def way_back(self, primary: Side) -> WayBack | NoData:
        if unseen := self._unseen(primary):
            return unseen
        state = self.sides[primary]
        proven = self._way_back and self._live is primary and state.open and self._proven >= state.epoch
        return WayBack(primary=primary, built=self._way_back, proven=proven, lag_bytes=0)

    def writer(self) -> Writer | NoData:
        if unseen := self._unseen(None):
            return unseen
        source, target = self.sides[Side.SOURCE], self.sides[Side.TARGET]
        return Writer(
            source_open=source.open, source_epoch=source.epoch, target_open=target.open, target_epoch=target.epoch
        )

    def _copied(self) -> int:
        return _TABLES if self._looks is not None and self._looks >= self.looks_to_copy else 0

    def _carry(self) -> None:
        if self._live is not None:
            self.sides[self._live.other].rows.update(self.sides[self._live].rows)

    def _reach(self) -> None:
        for side, state in self.sides.items():
            if not state.reachable:
                raise SideUnreachable(side, "the connection was refused")

    def _keep_slot(self, publisher: Side) -> None:
        if self._lost is publisher:
            raise SlotLost(publisher, channel(publisher), "it is gone")

    def _unseen(self, publisher: Side | None) -> NoData | None:
        try:
            self._reach()
            if publisher is not None:
                self._keep_slot(publisher)
        except CrossfadeError as exc:
            return NoData(reason=str(exc), lost=isinstance(exc, SlotLost))
        return None
