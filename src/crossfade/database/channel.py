"""Replication in one direction: publication and slot on the publisher, subscription on the other side.

All three bear one name. Every verb names an end and looks first, so that it may be called again after a crash.
"""

import contextlib
from dataclasses import dataclass
from datetime import timedelta

from psycopg import sql

from crossfade.database.errors import ReplicationNotReady, SlotLost, StatementFailed
from crossfade.database.session import CANCELLED, Session, eventually
from crossfade.database.settings import channel

_SLOT = timedelta(seconds=60)  # a slot waits for the transactions that were running when it was asked for
_SKIP = timedelta(minutes=10)
_STOPPED = timedelta(seconds=15)
_OURS = ("marker", "beat")
_IN_USE = "55006"


@dataclass(frozen=True, slots=True)
class Channel:
    """The replication from `publisher` to `subscriber`, through two sessions that are open already."""

    publisher: Session
    subscriber: Session

    @property
    def name(self) -> str:
        return channel(self.publisher.side)

    # what stands

    def has_slot(self) -> bool:
        return bool(self.publisher.rows("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", (self.name,)))

    def has_subscription(self) -> bool:
        return bool(self.subscriber.rows(_SUBSCRIPTION, (self.name,)))

    def is_enabled(self) -> bool:
        return bool(self.subscriber.value(_SUBSCRIPTION, (self.name,)))

    def is_running(self) -> bool:
        """An apply worker or a table copy is at work here, or the slot is in use there."""
        worker = self.subscriber.rows(
            "SELECT 1 FROM pg_stat_subscription WHERE subname = %s AND pid IS NOT NULL", (self.name,)
        )
        return bool(worker) or bool(
            self.publisher.rows("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND active", (self.name,))
        )

    def copied(self) -> tuple[int, int]:
        """How many tables the subscription has, and how many of them are copied and in step; our own included."""
        all_of_them, done = self.subscriber.one(
            "SELECT count(*), count(*) FILTER (WHERE srsubstate = 'r') FROM pg_subscription_rel r"
            " JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = %s"
            " AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (self.name,),
        )
        return int(all_of_them), int(done)

    def application_copied(self) -> tuple[int, int]:
        """As `copied`, but of the application's tables alone."""
        all_of_them, done = self.subscriber.one(_APPLICATION_COPIED, (self.name,))
        return int(all_of_them), int(done)

    # ends to bring about

    def publish(self) -> None:
        """The publication holds every table in scope (a partitioned one as a whole) and our marker tables."""
        if self.publisher.rows("SELECT 1 FROM pg_publication WHERE pubname = %s", (self.name,)):
            return
        roots = self.publisher.rows(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN crossfade.scope s ON s.schema_name = n.nspname"
            " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' ORDER BY 1, 2"
        )
        tables = [sql.Identifier(*root) for root in [*roots, *(("crossfade", name) for name in _OURS)]]
        self.publisher.rows(
            sql.SQL("CREATE PUBLICATION {} FOR TABLE {}").format(sql.Identifier(self.name), sql.SQL(", ").join(tables))
        )

    def keep_slot(self) -> None:
        """The slot stands and its identity is noted beside it. Raises `SlotLost` when one of that name is not ours."""
        noted = self.publisher.rows("SELECT 1 FROM crossfade.slot_record WHERE slot_name = %s", (self.name,))
        if noted:
            self.check_slot()
            return
        if self.has_slot():  # made just before a crash, before it was noted: nobody has used it
            self.drop_slot()
        self._create_slot()
        self.publisher.rows(
            "INSERT INTO crossfade.slot_record (slot_name, system_id, timeline) SELECT %s, system_identifier,"
            " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()",
            (self.name,),
        )

    def _create_slot(self) -> None:
        """It waits for every transaction with writes that was running when it was asked for, wherever it writes."""
        self.publisher.rows(sql.SQL("SET statement_timeout = {}").format(sql.Literal(_SLOT.total_seconds() * 1000)))
        try:
            self.publisher.rows(
                "SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (self.name,), patience=2 * _SLOT
            )
        except StatementFailed as exc:
            if exc.sqlstate != CANCELLED:
                raise
            reason = "a transaction that has been writing for long keeps its slot from being made"
            raise ReplicationNotReady(self.publisher.side, reason) from exc
        finally:
            if not self.publisher.closed:
                self.publisher.rows("RESET statement_timeout")

    def check_slot(self) -> None:
        """Raises `SlotLost` unless the slot is there, usable, and on the very server on which it was made."""
        found = self.publisher.rows(
            "SELECT crossfade.recounted(r.slot_name), r.system_id = c.system_identifier, r.timeline,"
            " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), s.slot_name IS NOT NULL,"
            " coalesce(s.wal_status, ''), s.plugin, s.database = current_database()"
            " FROM crossfade.slot_record r CROSS JOIN pg_control_system() c"
            " LEFT JOIN pg_replication_slots s ON s.slot_name = r.slot_name WHERE r.slot_name = %s",
            (self.name,),
        )
        if not found:
            raise ReplicationNotReady(self.publisher.side, f"the slot {self.name} was not built yet")
        lost, same_server, then, now, there, wal_status, plugin, here = found[0]
        reasons = (
            (bool(lost), str(lost)),
            (not same_server, "this is another server than the one it was made on"),
            (
                then != now,
                f"the server's timeline is {now}, it was made on {then}: after a failover changes are missing",
            ),
            (not there, "it is gone"),
            (wal_status == "lost", "the server removed the WAL that it needs"),
            (there and (plugin != "pgoutput" or not here), "it was made again for something else"),
        )
        for is_so, reason in reasons:
            if is_so:
                raise self.lose(reason)

    def lose(self, reason: str) -> SlotLost:
        """Note for ever that this slot cannot be trusted; the error to raise."""
        self.publisher.rows(
            "UPDATE crossfade.slot_record SET lost_reason = coalesce(lost_reason, %s) WHERE slot_name = %s",
            (reason, self.name),
        )
        return SlotLost(self.publisher.side, self.name, reason)

    def subscribe(self, reach: str, *, copy: bool) -> None:
        """The subscription stands: with `copy` it starts at once with the full load, else it is asleep."""
        if self.has_subscription():
            return
        options = f"create_slot = false, slot_name = '{self.name}', copy_data = {copy}, enabled = {copy}"
        if self._version() >= 160000:
            # as owner, or the worker would act as each table's owner, from whom the fence takes the right to write
            options += ", run_as_owner = true, origin = any"
        self.subscriber.rows(
            sql.SQL("CREATE SUBSCRIPTION {name} CONNECTION {reach} PUBLICATION {name} WITH ({options})").format(
                name=sql.Identifier(self.name),
                reach=sql.Literal(reach),
                options=sql.SQL(options),
            )
        )

    def awaken(self) -> None:
        if not self.is_enabled():
            self._alter("ENABLE")

    def put_to_sleep(self) -> None:
        """The subscription is disabled, its worker gone, and the slot free."""
        if self.has_subscription() and self.is_enabled():
            self._alter("DISABLE")
        if not eventually(lambda: not self.is_running(), within=_STOPPED, pace=self.subscriber.pace):
            raise ReplicationNotReady(self.publisher.side, "its apply worker does not end")

    def skip(self, *, at_most_bytes: int | None = None) -> None:
        """Advance the sleeping slot to what is on disk now, so that little is left to skip within the write window.

        Only while the publisher is closed: then nothing before this point is an application's write. The position
        is read before that is checked, never after. `at_most_bytes` keeps one call short.
        """
        found = self.publisher.rows(
            "SELECT confirmed_flush_lsn - '0/0'::pg_lsn, pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
            " FROM pg_replication_slots WHERE slot_name = %s AND NOT active",
            (self.name,),
        )
        for confirmed, flushed in found:
            position = int(flushed) if at_most_bytes is None else min(int(flushed), int(confirmed) + at_most_bytes)
            self.publisher.rows(
                "SELECT pg_replication_slot_advance(s.slot_name, greatest(%s::pg_lsn, s.confirmed_flush_lsn))"
                " FROM pg_replication_slots s, crossfade.writer w"
                " WHERE s.slot_name = %s AND NOT w.open AND NOT s.active",
                (f"{position >> 32:X}/{position & 0xFFFFFFFF:X}", self.name),
                patience=_SKIP,
            )

    def begin_decoding_here(self) -> None:
        """Log a snapshot on the publisher: once skipped past, decoding need not read from up to 15 s before.

        An advance and a look at a slot read from the last such snapshot on, and both stand in the write window.
        """
        if int(self.publisher.value("SHOW server_version_num")) >= 160000:
            with contextlib.suppress(StatementFailed):  # who is no superuser may not
                self.publisher.rows("SELECT pg_log_standby_snapshot()")
                return
        # else a new slot is the only way to ask for one; this one is gone at once
        name = f"{self.name}_snapshot"
        with contextlib.suppress(StatementFailed):  # a transaction runs long: then decoding reads a little more
            self.publisher.rows(
                "SET statement_timeout = '1s'; SELECT pg_create_logical_replication_slot('"
                + name
                + "', 'pgoutput', true)"
            )
            self.publisher.rows("SELECT pg_drop_replication_slot(%s)", (name,))
        self.publisher.rows("RESET statement_timeout")

    def echoes(self) -> int:
        """How many changes would return to the side that they came from. It sleeps afterwards if any do."""
        echoes = 0
        self.put_to_sleep()
        try:
            ((echoes,),) = self.publisher.rows("SELECT crossfade.echoed(%s)", (self.name,), patience=_SKIP)
        finally:
            if not int(echoes) and not self.subscriber.closed:
                self.awaken()
        return int(echoes)

    # the end of it

    def unsubscribe(self) -> None:
        """No subscription, and no slot that its table copies made on the publisher."""
        found = self.subscriber.rows(
            "SELECT oid FROM pg_subscription WHERE subname = %s"
            " AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (self.name,),
        )
        for (oid,) in found:
            self._alter("DISABLE")
            self._alter("SET (slot_name = NONE)")  # so that it can be dropped also when the publisher is away
            self.subscriber.rows(sql.SQL("DROP SUBSCRIPTION {}").format(sql.Identifier(self.name)))
            self._drop_slots(f"^(pg_)?{oid}_sync_")

    def unpublish(self) -> None:
        self.drop_slot()
        self.withdraw()

    def withdraw(self) -> None:
        """The publication is gone; the slot stays."""
        self.publisher.rows(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(self.name)))

    def drop_slot(self) -> None:
        """The slot is gone, also when somebody is still attached to it."""
        self._drop_slots(f"^{self.name}$")

    def _drop_slots(self, pattern: str) -> None:
        """No slot of this database has a name like this; whoever is attached to one is cut off."""

        def gone() -> bool:
            for name, pid in self.publisher.rows(_SLOTS_LIKE, (pattern,)):
                if pid is not None:
                    self.publisher.rows("SELECT pg_terminate_backend(%s)", (pid,))
                    continue
                try:
                    self.publisher.rows("SELECT pg_drop_replication_slot(%s)", (name,))
                except StatementFailed as exc:
                    if exc.sqlstate != _IN_USE:  # it was attached to in between: once more
                        raise
            return not self.publisher.rows(_SLOTS_LIKE, (pattern,))

        if not eventually(gone, within=_STOPPED, pause=0.05, pace=self.publisher.pace):
            raise ReplicationNotReady(self.publisher.side, f"its slot {self.name} cannot be dropped: it is in use")

    def _alter(self, what: str) -> None:
        self.subscriber.rows(sql.SQL("ALTER SUBSCRIPTION {} {}").format(sql.Identifier(self.name), sql.SQL(what)))

    def _version(self) -> int:
        return int(self.subscriber.value("SHOW server_version_num"))


_APPLICATION_COPIED = """
SELECT count(*), count(*) FILTER (WHERE r.srsubstate = 'r') FROM pg_subscription_rel r
JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_class c ON c.oid = r.srrelid
WHERE s.subname = %s AND c.relnamespace <> 'crossfade'::regnamespace
"""
_SLOTS_LIKE = (
    "SELECT slot_name, active_pid FROM pg_replication_slots"
    " WHERE slot_name::text ~ %s AND database = current_database()"
)
_SUBSCRIPTION = (
    "SELECT subenabled FROM pg_subscription WHERE subname = %s"
    " AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
