"""Statements that only look: answered at one instant, by their very text. What is not here is not understood."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crossfade.database.channel import _APPLICATION_COPIED as COPIED
from crossfade.database.channel import _SLOTS_LIKE as SLOTS_LIKE
from crossfade.database.channel import _SUBSCRIPTION as SUBSCRIPTION
from crossfade.database.drift import _PUBLISHED as PUBLISHED
from crossfade.database.drift import _SUBSCRIBED as SUBSCRIBED
from crossfade.database.drift import _TABLES as TABLES
from crossfade.database.fence import _WRITERS as WRITERS
from crossfade.database.grants import _OPEN as OPEN
from crossfade.database.looks import _AGE as AGE
from crossfade.database.looks import _CHAIN as CHAIN
from crossfade.database.looks import _POSITIONS as POSITIONS
from crossfade.database.looks import _RETAINED as RETAINED
from crossfade.database.looks import _WORKER as WORKER
from crossfade.database.way_back import _BEGINS as BEGINS
from crossfade.database.way_back import _HAS_RUN as HAS_RUN
from crossfade.simulation.postgres.catalog import BEAT, MARKER
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.tables import Beats
from crossfade.simulation.postgres.task import ServerError
from crossfade.simulation.postgres.transaction import Transaction
from crossfade.simulation.postgres.wal import as_text, from_text

if TYPE_CHECKING:
    from crossfade.simulation.postgres.backend import Backend
    from crossfade.simulation.postgres.server import Server

Parameters = Mapping[str, object] | Sequence[object] | None
Rows = list[tuple[Any, ...]]
Read = Callable[["Backend", Any], Rows]

_TABLE_KIND = "r"


def _installed(server: "Server") -> None:
    if not server.catalog.installed:
        raise ServerError("42P01", 'relation "crossfade.writer" does not exist')


def _beats(server: "Server") -> Beats:
    beats = server.tables.get(BEAT)
    if not isinstance(beats, Beats):  # taken away meanwhile
        raise ServerError("42P01", f'relation "{BEAT}" does not exist')
    return beats


# crossfade.database.state


def _is_installed(backend: "Backend", _: Any) -> Rows:
    return [(backend.server.catalog.installed,)]


def _state_of(backend: "Backend", _: Any) -> Rows:
    _installed(backend.server)
    writer = backend.server.catalog.writer
    return [] if writer is None else [(writer.open, writer.epoch)]


def _since(backend: "Backend", _: Any) -> Rows:
    writer = backend.server.catalog.writer
    return [] if writer is None else [(writer.since,)]


def _remembered(backend: "Backend", parameters: Sequence[object]) -> Rows:
    _installed(backend.server)
    return [(name,) for kind, name in backend.server.catalog.made if kind == parameters[0]]


# crossfade.database.fence and grants


def _clock(backend: "Backend", _: Any) -> Rows:
    return [(backend.server.now().timestamp(),)]


def _superuser(backend: "Backend", _: Any) -> Rows:  # noqa: ARG001 - as each
    return [(True,)]


def _lockable(backend: "Backend", _: Any) -> Rows:
    catalog = backend.server.catalog
    mine = sorted(table for table in catalog.columns if table.split(".")[0] in catalog.scope)
    return [(table,) for table in (*mine, BEAT, MARKER)]


def _writers_inside(backend: "Backend", parameters: Sequence[timedelta]) -> Rows:
    server = backend.server
    found: list[tuple[int, str, str, timedelta]] = []
    for table in server.catalog.columns:
        for tx in server.lock_of(table).holders(Mode.WRITE):
            assert isinstance(tx, Transaction)
            age = timedelta(seconds=server.hub.seconds - tx.started)
            known = tx.pid in server.backends and tx.pid != backend.pid
            if known and age >= parameters[0] and all(tx.pid != pid for pid, *_ in found):
                found.append((tx.pid, tx.role, tx.application, age))
    return sorted(found, key=lambda row: -row[3])


def _is_open(backend: "Backend", _: Any) -> Rows:
    """As the catalog has it; who may write without a grant is not seen here, as in PostgreSQL."""
    return [(any(grant.role not in _OURS for grant in backend.server.catalog.grants),)]


_OURS = ("postgres", "crossfade")


# slots and positions


def _has_slot(backend: "Backend", parameters: Sequence[str]) -> Rows:
    return [(1,)] if parameters[0] in backend.server.slots else []


def _slot_active(backend: "Backend", parameters: Sequence[str]) -> Rows:
    slot = backend.server.slots.get(parameters[0])
    return [(1,)] if slot is not None and slot.active_pid is not None else []


def _slot_noted(backend: "Backend", parameters: Sequence[str]) -> Rows:
    _installed(backend.server)
    return [(1,)] if backend.server.catalog.slot_record(parameters[0]) is not None else []


def _begins_at(backend: "Backend", parameters: Sequence[str]) -> Rows:
    _installed(backend.server)
    record = backend.server.catalog.slot_record(parameters[0])
    if record is None:
        return []
    if record.begins_at is None:
        return []
    slot = backend.server.slots.get(parameters[0])
    return [(as_text(record.begins_at), slot is not None and slot.confirmed > record.begins_at)]


def _has_run(backend: "Backend", parameters: Mapping[str, str]) -> Rows:
    found = backend.server.subscriptions.get(parameters["name"])
    return [] if found is None else [(found.origin > from_text(parameters["begins"]),)]


def _check_slot(backend: "Backend", parameters: Sequence[str]) -> Rows:
    server = backend.server
    _installed(server)
    record, slot = server.catalog.slot_record(parameters[0]), server.slots.get(parameters[0])
    if record is None:
        return []
    there = slot is not None
    status = "" if slot is None else "lost" if slot.lost else "reserved"
    same = record.system_id == server.system_id
    plugin, here = (slot.plugin, True) if slot is not None else (None, None)
    return [(record.lost_reason, same, record.timeline, server.timeline, there, status, plugin, here)]


def _skippable(backend: "Backend", parameters: Sequence[str]) -> Rows:
    slot = backend.server.slots.get(parameters[0])
    if slot is None or slot.active_pid is not None:
        return []
    return [(slot.confirmed, backend.server.wal.flushed)]


def _slots_like(backend: "Backend", parameters: Sequence[str]) -> Rows:
    """The patterns are `^name$`, or of table copies, which have no slots of their own here."""
    name = parameters[0].removeprefix("^").removesuffix("$")
    slot = backend.server.slots.get(name)
    return [] if slot is None else [(slot.name, slot.active_pid)]


def _positions(backend: "Backend", parameters: Sequence[str]) -> Rows:
    server = backend.server
    slot = server.slots.get(parameters[0])
    if slot is None:
        return []
    streaming = slot.active_pid in server.senders
    return [(server.wal.inserted - slot.confirmed, server.retained(slot), streaming)]


def _retained(backend: "Backend", parameters: Sequence[str]) -> Rows:
    slot = backend.server.slots.get(parameters[0])
    return [] if slot is None else [(backend.server.retained(slot),)]


def _version(backend: "Backend", _: Any) -> Rows:
    return [(str(backend.server.version),)]


# publications and subscriptions


def _has_publication(backend: "Backend", parameters: Sequence[str]) -> Rows:
    return [(1,)] if parameters[0] in backend.server.catalog.publications else []


def _roots(backend: "Backend", _: Any) -> Rows:
    _installed(backend.server)
    catalog = backend.server.catalog
    named = (table.split(".") for table in sorted(catalog.columns))
    return [(schema, name) for schema, name in named if schema in catalog.scope]


def _subscription(backend: "Backend", parameters: Sequence[str]) -> Rows:
    found = backend.server.subscriptions.get(parameters[0])
    return [] if found is None else [(found.enabled,)]


def _subscription_oid(backend: "Backend", parameters: Sequence[str]) -> Rows:
    found = backend.server.subscriptions.get(parameters[0])
    return [] if found is None else [(found.oid,)]


def _worker(backend: "Backend", parameters: Sequence[str]) -> Rows:
    found = backend.server.subscriptions.get(parameters[0])
    return [] if found is None or found.worker is None else [(1,)]


def _all_copied(backend: "Backend", parameters: Sequence[str]) -> Rows:
    found = backend.server.subscriptions.get(parameters[0])
    states = [] if found is None else [relation.state for relation in found.relations.values()]
    return [(len(states), states.count("r"))]


def _copied(backend: "Backend", parameters: Sequence[str]) -> Rows:
    found = backend.server.subscriptions.get(parameters[0])
    relations = {} if found is None else found.relations
    states = [relation.state for table, relation in relations.items() if not table.startswith("crossfade.")]
    return [(len(states), states.count("r"))]


def _tables(backend: "Backend", _: Any) -> Rows:
    _installed(backend.server)
    catalog = backend.server.catalog
    return [
        (table, _TABLE_KIND, False, list(columns))
        for table, columns in catalog.columns.items()
        if table.split(".")[0] in catalog.scope
    ]


def _published(backend: "Backend", parameters: Sequence[str]) -> Rows:
    return [(table,) for table in backend.server.catalog.publications.get(parameters[0], ())]


def _subscribed(backend: "Backend", parameters: Sequence[str]) -> Rows:
    found = backend.server.subscriptions.get(parameters[0])
    return [] if found is None else [(table,) for table in found.relations]


# marks and beats


def _arrived(backend: "Backend", parameters: tuple[str, int]) -> Rows:
    newest = _beats(backend.server).newest(parameters[0])
    return [(1,)] if newest is not None and newest >= parameters[1] else []


def _chain(backend: "Backend", parameters: Sequence[str]) -> Rows:
    beats = _beats(backend.server)
    newest = beats.newest(parameters[0])
    return [(newest, None if newest is None else beats.has_hole(parameters[0]))]


def _age(backend: "Backend", parameters: Mapping[str, Any]) -> Rows:
    beats, origin, last = _beats(backend.server), parameters["origin"], parameters["last"]
    newest = beats.newest(origin)
    if newest is None or newest == last:
        return [(None if newest is None else timedelta(0),)]
    at = beats.oldest_after(origin, last)
    return [(None if at is None else timedelta(seconds=backend.server.now().timestamp() - at),)]


def _proven(backend: "Backend", parameters: tuple[str, str]) -> Rows:
    table = backend.server.tables.get(MARKER)
    if table is None:  # taken away meanwhile
        raise ServerError("42P01", f'relation "{MARKER}" does not exist')
    marker = table.get(parameters)
    return [] if marker is None else [(marker.epoch,)]


def _changed(backend: "Backend", _: Any) -> Rows:
    server = backend.server
    return [(table,) for table in server.catalog.columns] if server.statistics_due else []


READS: dict[str, Read] = {
    "SELECT 1": lambda _backend, _: [(1,)],
    "SELECT to_regclass('crossfade.writer') IS NOT NULL": _is_installed,
    "SELECT open, epoch FROM crossfade.writer": _state_of,
    "SELECT since FROM crossfade.writer": _since,
    "SELECT name FROM crossfade.made WHERE kind = %s": _remembered,
    "SELECT extract(epoch FROM clock_timestamp())": _clock,
    "SELECT rolsuper FROM pg_roles WHERE rolname = current_user": _superuser,
    "SHOW server_version_num": _version,
    "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND (n.nspname IN (SELECT schema_name FROM crossfade.scope)"
    " OR (n.nspname = 'crossfade' AND c.relname IN ('marker', 'beat'))) ORDER BY n.nspname = 'crossfade', 1": _lockable,
    WRITERS: _writers_inside,
    OPEN: _is_open,
    "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s": _has_slot,
    "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND active": _slot_active,
    "SELECT 1 FROM crossfade.slot_record WHERE slot_name = %s": _slot_noted,
    BEGINS: _begins_at,
    HAS_RUN: _has_run,
    "SELECT r.lost_reason, r.system_id = c.system_identifier, r.timeline,"
    " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), s.slot_name IS NOT NULL,"
    " coalesce(s.wal_status, ''), s.plugin, s.database = current_database()"
    " FROM crossfade.slot_record r CROSS JOIN pg_control_system() c"
    " LEFT JOIN pg_replication_slots s ON s.slot_name = r.slot_name WHERE r.slot_name = %s": _check_slot,
    "SELECT confirmed_flush_lsn - '0/0'::pg_lsn, pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
    " FROM pg_replication_slots WHERE slot_name = %s AND NOT active": _skippable,
    SLOTS_LIKE: _slots_like,
    POSITIONS: _positions,
    RETAINED: _retained,
    "SELECT 1 FROM pg_publication WHERE pubname = %s": _has_publication,
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN crossfade.scope s ON s.schema_name = n.nspname"
    " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' ORDER BY 1, 2": _roots,
    SUBSCRIPTION: _subscription,
    "SELECT oid FROM pg_subscription WHERE subname = %s"
    " AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())": _subscription_oid,
    "SELECT 1 FROM pg_stat_subscription WHERE subname = %s AND pid IS NOT NULL": _worker,
    WORKER: _worker,
    "SELECT count(*), count(*) FILTER (WHERE srsubstate = 'r') FROM pg_subscription_rel r"
    " JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = %s"
    " AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())": _all_copied,
    COPIED: _copied,
    TABLES: _tables,
    PUBLISHED: _published,
    SUBSCRIBED: _subscribed,
    "SELECT 1 FROM crossfade.beat WHERE origin = %s AND n >= %s": _arrived,
    CHAIN: _chain,
    AGE: _age,
    "SELECT epoch FROM crossfade.marker WHERE origin = %s AND purpose = %s": _proven,
    "SELECT format('%I.%I', t.schemaname, t.relname) FROM pg_stat_user_tables t"
    " JOIN crossfade.scope s ON s.schema_name = t.schemaname"
    " WHERE t.n_mod_since_analyze > 0 OR t.n_dead_tup > 0 OR t.last_analyze IS NULL": _changed,
}
