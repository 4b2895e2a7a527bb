"""The database role on PostgreSQL's own logical replication."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from crossfade.database import fence, grants, preflight, state, way_back
from crossfade.database.channel import Channel
from crossfade.database.errors import FullLoadNotDone, TargetHoldsWrites, TargetInUse
from crossfade.database.looks import Looks
from crossfade.database.schema import Schema
from crossfade.database.session import MACHINE, Connector, Pace, PostgresSession, Session
from crossfade.database.settings import NativeSettings
from crossfade.database.switch import At, Switch
from crossfade.model.seen import Finding, Replication, SwitchReport, WayBack, Writer
from crossfade.model.terms import NoData, Side

_WORK = timedelta(seconds=30)
_VACUUM = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Both:
    source: Session
    target: Session

    def __getitem__(self, side: Side) -> Session:
        return self.source if side is Side.SOURCE else self.target


class NativeReplication:
    """`crossfade.database.port.Database` for two PostgreSQL servers, 13 or later. See docs/database-switch.md.

    `at` is called at each named point of the switch (`crossfade.database.port.SWITCH_POINTS`); what it raises ends the
    switch there as a crash would. Without it, the points are passed in as few round trips as safety allows.
    Given by side, it is called in switches to that side only.
    `connector` is how a side is reached, and `pace` how time passes there.
    """

    def __init__(
        self,
        settings: NativeSettings,
        at: At | Mapping[Side, At] | None = None,
        *,
        connector: Connector = PostgresSession,
        pace: Pace = MACHINE,
    ) -> None:
        self._settings, self._connector = settings, connector
        self._schema = Schema(settings, self._connect)
        tell = at if isinstance(at, Mapping) else dict.fromkeys(Side, at)
        self._switches = {side: Switch(settings, self._connect, tell.get(side), pace) for side in Side}
        self._looks = Looks(settings, self._connect_to_look, pace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sessions that looks keep open."""
        self._looks.close()

    def preflight(self) -> tuple[Finding, ...]:
        return preflight.examine(self._settings, self._connect)

    def create_schema(self) -> None:
        """Raises `TargetInUse`, also for an engine that was late until the migration had ended."""
        with self._alone() as both:
            if not state.is_installed(both.target) and grants.is_open(both.target, self._settings.schemas):
                raise TargetInUse
            for side in Side:
                state.install(both[side], self._settings.schemas)
            self._schema.create_first_half(both.source, both.target)

    def start_replication(self) -> None:
        with self._alone() as both:
            forward = Channel(both.source, both.target)
            forward.publish()
            forward.keep_slot()
            forward.subscribe(self._settings.source.subscriber_dsn, copy=True)

    def complete_schema(self) -> None:
        """Raises `FullLoadNotDone` while a table is not copied, and `ObjectsNotMade`."""
        with self._alone() as both:
            tables, copied = Channel(both.source, both.target).application_copied()
            if tables == 0 or copied < tables:
                raise FullLoadNotDone(tables, copied)
            self._schema.create_second_half(both.source, both.target)

    def build_way_back(self) -> None:
        with self._alone() as both:
            way_back.build(self._settings, both.source, both.target)

    def remove_replication(self) -> None:
        """Raises `TargetHoldsWrites` when the target is the primary."""
        with self._alone(ending_switches=True) as both:
            ours = state.is_installed(both.target)  # else nothing there is ours to drop, above all not after the end
            if ours and (state.state_of(both.target).open or grants.is_open(both.target, self._settings.schemas)):
                raise TargetHoldsWrites
            if state.is_installed(both.source):
                was = state.state_of(both.source)
                if not was.open:
                    both.source.rows("SELECT crossfade.open(%s)", (was.epoch,))
            self._take_away(both)
            if ours:
                self._schema.drop(both.target)
            for side in Side:
                state.uninstall(both[side])

    def end_way_back(self) -> None:
        with self._alone() as both:
            self._take_away(both)
            for side in Side:
                state.uninstall(both[side])

    def prepare_switch(self, to: Side) -> None:
        with self._alone() as both:
            Channel(both[to], both[to.other]).skip()
            self._refresh_statistics(both[to])

    def switch(self, to: Side, epoch: int) -> SwitchReport:
        return self._switches[to].perform(to, epoch)

    def wake_way_back(self, primary: Side) -> None:
        with self._alone() as both:
            way_back.wake(self._settings, both[primary], both[primary.other])

    def replication(self, primary: Side) -> Replication | NoData:
        return self._looks.replication(primary)

    def way_back(self, primary: Side) -> WayBack | NoData:
        return self._looks.way_back(primary)

    def writer(self) -> Writer | NoData:
        return self._looks.writer()

    def _take_away(self, both: _Both) -> None:
        for side in Side:
            path = Channel(both[side], both[side.other])
            path.unsubscribe()
            path.unpublish()

    def _refresh_statistics(self, session: Session) -> None:
        """An autovacuum's analyze within the switch cost a quarter of a second: do it now, on what has changed."""
        changed = session.rows(
            "SELECT format('%I.%I', t.schemaname, t.relname) FROM pg_stat_user_tables t"
            " JOIN crossfade.scope s ON s.schema_name = t.schemaname"
            " WHERE t.n_mod_since_analyze > 0 OR t.n_dead_tup > 0 OR t.last_analyze IS NULL"
        )
        for (table,) in changed:
            session.rows(f"VACUUM (ANALYZE) {table}", patience=_VACUUM)

    @contextmanager
    def _both(self) -> Iterator[_Both]:
        with self._connect(Side.SOURCE) as source, self._connect(Side.TARGET) as target:
            yield _Both(source, target)

    @contextmanager
    def _alone(self, *, ending_switches: bool = False) -> Iterator[_Both]:
        """No other engine changes anything meanwhile, also none that is dead and whose last words are on their way.

        Each verb looks at what stands before it changes it: two at once would both see that nothing stands.
        """
        with self._both() as both:
            for side in Side if ending_switches else ():
                fence.end_switches(both[side])
            for side in Side:
                fence.hold(both[side])
            yield both

    def _connect(self, side: Side) -> Session:
        return self._session(side, _WORK)

    def _connect_to_look(self, side: Side) -> Session:
        return self._session(side, self._settings.look_timeout + timedelta(seconds=0.5))

    def _session(self, side: Side, patience: timedelta) -> Session:
        dsn = self._settings.reach(side).dsn
        return self._connector(side, dsn, application_name=self._settings.application_name, patience=patience)
