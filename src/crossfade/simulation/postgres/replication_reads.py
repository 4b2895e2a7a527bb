"""Statements that look at slots, publications and subscriptions: answered at one instant, by their very text."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crossfade.database.channel import _APPLICATION_COPIED as COPIED
from crossfade.database.channel import _SLOTS_LIKE as SLOTS_LIKE
from crossfade.database.channel import _SUBSCRIPTION as SUBSCRIPTION
from crossfade.database.drift import _PUBLISHED as PUBLISHED
from crossfade.database.drift import _SUBSCRIBED as SUBSCRIBED
from crossfade.database.drift import _TABLES as TABLES
from crossfade.database.looks import _POSITIONS as POSITIONS
from crossfade.database.looks import _RETAINED as RETAINED
from crossfade.database.looks import _WORKER as WORKER
from crossfade.database.structure import _COLUMNS as COLUMNS
from crossfade.database.structure import _OBJECTS as OBJECTS
from crossfade.database.way_back import _BEGINS as BEGINS
from crossfade.database.way_back import _HAS_RUN as HAS_RUN
from crossfade.simulation.postgres.answers import Read, Rows, installed
from crossfade.simulation.postgres.wal import as_text, from_text

if TYPE_CHECKING:
    from crossfade.simulation.postgres.backend import Backend

_TABLE_KIND = "r"


# slots and positions


def _has_slot(backend: "Backend", parameters: Sequence[str]) -> Rows:
    return [(1,)] if parameters[0] in backend.server.slots else []


def _slot_active(backend: "Backend", parameters: Sequence[str]) -> Rows:
    slot = backend.server.slots.get(parameters[0])
    return [(1,)] if slot is not None and slot.active_pid is not None else []


def _slot_noted(backend: "Backend", parameters: Sequence[str]) -> Rows:
    installed(backend.server)
    return [(1,)] if backend.server.catalog.slot_record(parameters[0]) is not None else []


def _begins_at(backend: "Backend", parameters: Sequence[str]) -> Rows:
    installed(backend.server)
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
    installed(server)
    record, slot = server.catalog.slot_record(parameters[0]), server.slots.get(parameters[0])
    if record is None:
        return []
    there = slot is not None
    status = "" if slot is None else "lost" if slot.lost else "reserved"
    same = record.system_id == server.system_id
    plugin, here = (slot.plugin, True) if slot is not None else (None, None)
    return [(server.recounted(record.name), same, record.timeline, server.timeline, there, status, plugin, here)]


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
    installed(backend.server)
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
    installed(backend.server)
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


def _nothing_more(backend: "Backend", _: Any) -> Rows:
    """Of the modelled tables both sides know no more than their columns."""
    installed(backend.server)
    return []


REPLICATION_READS: dict[str, Read] = {
    "SHOW server_version_num": _version,
    "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s": _has_slot,
    "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND active": _slot_active,
    "SELECT 1 FROM crossfade.slot_record WHERE slot_name = %s": _slot_noted,
    BEGINS: _begins_at,
    HAS_RUN: _has_run,
    "SELECT crossfade.recounted(r.slot_name), r.system_id = c.system_identifier, r.timeline,"
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
    COLUMNS: _nothing_more,
    OBJECTS: _nothing_more,
    PUBLISHED: _published,
    SUBSCRIBED: _subscribed,
}
