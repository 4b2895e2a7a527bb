"""What the two databases say about replication and writers now. Each look is bounded in time and never raises."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from crossfade.database import grants, state, way_back
from crossfade.database.channel import Channel
from crossfade.database.drift import changed_since_loaded, drift_between
from crossfade.database.errors import SideUnreachable, SlotLost, StatementFailed
from crossfade.database.session import CANCELLED, MACHINE, Pace, Session, eventually
from crossfade.database.settings import NativeSettings
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Replication, WayBack, Writer
from crossfade.model.terms import NoData, Side

T = TypeVar("T")
Connect = Callable[[Side], Session]

_BEAT_SECONDS = 0.5
_COMPARED_S = 5.0  # whole catalogs: some milliseconds of each server's
_AT_ONCE_SECONDS = 0.5
_BEAT_ARRIVES = timedelta(milliseconds=60)


class Looks:
    """Keeps a session to each side for as long as it works. A look at replication also beats, at most each 0.5 s."""

    def __init__(self, settings: NativeSettings, connect: Connect, pace: Pace = MACHINE) -> None:
        self._settings, self._connect, self._pace = settings, connect, pace
        self._sessions: dict[Side, Session] = {}
        self._last_beat = 0.0
        self._compared_at: float | None = None
        self._difference = ""

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def replication(self, primary: Side) -> Replication | NoData:
        return self._looking(lambda: self._replication(primary))

    def way_back(self, primary: Side) -> WayBack | NoData:
        return self._looking(lambda: self._way_back(primary))

    def writer(self) -> Writer | NoData:
        return self._looking(self._writer)

    def _looking(self, look: Callable[[], T | NoData]) -> T | NoData:
        kept, began = bool(self._sessions), self._pace.monotonic()
        try:
            return look()
        except CrossfadeError as exc:
            self.close()
            if kept and isinstance(exc, SideUnreachable) and self._pace.monotonic() - began < _AT_ONCE_SECONDS:
                return self._looking(look)  # a session kept from before a restart of the server
            return NoData(reason=f"{exc}. {exc.remedy}" if exc.remedy else str(exc), lost=isinstance(exc, SlotLost))

    def _session(self, side: Side) -> Session:
        kept = self._sessions.get(side)
        if kept is None or kept.closed:
            kept = self._sessions[side] = self._connect(side)
            kept.rows(f"SET statement_timeout = {round(self._settings.look_timeout.total_seconds() * 1000)}")
        return kept

    def _replication(self, primary: Side) -> Replication | NoData:
        publisher, subscriber = self._session(primary), self._session(primary.other)
        if not (state.is_installed(publisher) and state.is_installed(subscriber)):
            return NoData(reason="replication was not started")
        path = Channel(publisher, subscriber)
        path.check_slot()
        if not path.has_subscription():
            return NoData(reason=f"the {subscriber.side} database has no subscription")
        self._protect_disk(path)
        if drift := drift_between(publisher, subscriber, path.name) or self._changed(path):
            return NoData(reason=drift)
        self._keep_way_back_fit(Channel(subscriber, publisher))
        lag = self._beat(path)
        lag_bytes, retained, streaming = publisher.one(_POSITIONS, (path.name,))
        tables, copied = path.application_copied()
        worker = subscriber.rows(_WORKER, (path.name,))
        return Replication(
            primary=primary,
            tables=tables,
            tables_copied=copied,
            lag_bytes=max(0, int(lag_bytes or 0)),
            lag=lag,
            retained_wal_bytes=max(0, int(retained or 0)),
            applying=bool(worker) and bool(streaming),
        )

    def _changed(self, path: Channel) -> str:
        """Only of what is still to be cut over to: afterwards an index more on the target is nobody's fault."""
        now = self._pace.monotonic()
        if path.publisher.side is Side.SOURCE and (self._compared_at is None or now - self._compared_at >= _COMPARED_S):
            self._difference = self._compared(path)
            self._compared_at = None if self._difference else now  # who mends it is seen to have at the next look
        return self._difference if path.publisher.side is Side.SOURCE else ""

    def _compared(self, path: Channel) -> str:
        """Of more tables than a look has time for nothing is told: the switch compares them, with more patience."""
        try:
            return changed_since_loaded(path.publisher, path.subscriber, self._settings.preflight_accept)
        except StatementFailed as failure:
            if failure.sqlstate != CANCELLED:
                raise
            return ""

    def _beat(self, path: Channel) -> timedelta | None:
        """Lag as time: how long ago, by the primary's clock, the newest beat was written that has arrived.

        A fresh beat gets a moment to arrive, or a healthy replication that is seldom looked at would seem late.
        """
        publisher, subscriber, origin = path.publisher, path.subscriber, str(path.publisher.side)
        now = self._pace.monotonic()
        if now - self._last_beat >= _BEAT_SECONDS:
            self._last_beat = now
            newest = publisher.value("SELECT crossfade.beat()")
            if newest is not None:
                arrived = "SELECT 1 FROM crossfade.beat WHERE origin = %s AND n >= %s"
                eventually(
                    lambda: subscriber.rows(arrived, (origin, newest)),
                    within=_BEAT_ARRIVES,
                    pause=0.003,
                    pace=self._pace,
                )
        last, holes = subscriber.one(_CHAIN, (origin,))
        if holes:
            raise path.lose("changes are missing: its heartbeats arrived with a hole, so it was made again")
        if last is None:
            return None
        age = publisher.value(_AGE, {"origin": origin, "last": last})
        return max(timedelta(0), age) if age is not None else None

    def _protect_disk(self, path: Channel) -> None:
        """The primary's disk comes before the migration: past the limit the slot is dropped."""
        retained = path.publisher.value(_RETAINED, (path.name,))
        if retained is not None and retained > self._settings.retained_wal_limit_bytes:
            path.drop_slot()
            raise path.lose(
                f"it kept {retained} bytes of WAL on the {path.publisher.side}, over the limit, and was dropped"
            )

    def _keep_way_back_fit(self, asleep: Channel) -> None:
        """While it sleeps it must neither keep WAL for ever nor miss tables that joined the migration."""
        way_back.mend(self._settings, asleep)
        kept = asleep.publisher.value(_RETAINED, (asleep.name,))
        if kept is not None and kept > self._settings.asleep_wal_bytes:
            asleep.skip(at_most_bytes=4 * self._settings.asleep_wal_bytes)

    def _way_back(self, primary: Side) -> WayBack | NoData:
        publisher, subscriber = self._session(primary), self._session(primary.other)
        unbuilt = WayBack(primary=primary, built=False, proven=False, lag_bytes=0)
        if not (state.is_installed(publisher) and state.is_installed(subscriber)):
            return unbuilt
        path = Channel(publisher, subscriber)
        if not (path.has_slot() and path.has_subscription()):
            try:
                path.check_slot()
            except SlotLost as exc:
                return NoData(reason=str(exc), lost=True)
            except CrossfadeError:
                return unbuilt
            return unbuilt
        path.check_slot()
        if drift := drift_between(publisher, subscriber, path.name):
            return NoData(reason=drift)
        lag_bytes, _, streaming = publisher.one(_POSITIONS, (path.name,))
        awake = path.is_enabled() and bool(streaming)
        return WayBack(
            primary=primary,
            built=True,
            proven=awake and state.state_of(publisher).open and way_back.is_proven(publisher, subscriber),
            lag_bytes=max(0, int(lag_bytes or 0)),
        )

    def _writer(self) -> Writer:
        seen = {side: self._open_and_epoch(self._session(side)) for side in Side}
        return Writer(
            source_open=seen[Side.SOURCE][0],
            source_epoch=seen[Side.SOURCE][1],
            target_open=seen[Side.TARGET][0],
            target_epoch=seen[Side.TARGET][1],
        )

    def _open_and_epoch(self, session: Session) -> tuple[bool, int]:
        """Open is who can write by the catalog, not what we noted: a grant given behind our back counts."""
        epoch = state.state_of(session).epoch if state.is_installed(session) else 0
        return grants.is_open(session, self._settings.schemas), epoch


_POSITIONS = """
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(r.replay_lsn, s.confirmed_flush_lsn)),
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), coalesce(r.state = 'streaming', false)
FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = %s
"""
_RETAINED = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots WHERE slot_name = %s"
_WORKER = "SELECT 1 FROM pg_stat_subscription WHERE subname = %s AND relid IS NULL AND pid IS NOT NULL"
_CHAIN = "SELECT max(n), max(n) - min(n) + 1 - count(*) > 0 FROM crossfade.beat WHERE origin = %s"
_AGE = """
SELECT CASE WHEN max(n) = %(last)s THEN interval '0' ELSE
    clock_timestamp() - min(at) FILTER (WHERE n > %(last)s) END
FROM crossfade.beat WHERE origin = %(origin)s
"""
