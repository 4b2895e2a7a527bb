"""Statements about slots, publications and subscriptions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crossfade.simulation.postgres.acts import Act, Rows, publications
from crossfade.simulation.postgres.catalog import SlotRecord
from crossfade.simulation.postgres.subscription import Relation, Subscription
from crossfade.simulation.postgres.task import FOREVER, ServerError, Task, Work
from crossfade.simulation.postgres.wal import from_text

if TYPE_CHECKING:
    from crossfade.simulation.postgres.backend import Backend


# slots


def note_slot(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    server = backend.server
    record = SlotRecord(str(parameters[0]), server.system_id, server.timeline, None)
    backend.transaction.stage(slot_records=(*server.catalog.slot_records, record))
    return []


def lose_slot(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    reason, name = parameters
    records = (
        record._replace(lost_reason=record.lost_reason or reason) if record.name == name else record
        for record in backend.server.catalog.slot_records
    )
    backend.transaction.stage(slot_records=tuple(records))
    return []


def note_beginning(name: str) -> Act:
    """Where the slot stands now, in the transaction that opens this side."""

    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield from ()
        slot = backend.server.slots.get(name)
        records = backend.transaction.seen(backend.server.catalog).slot_records
        if slot is not None:
            position = slot.confirmed
            noted = (r._replace(begins_at=position) if r.name == name else r for r in records)
            backend.transaction.stage(slot_records=tuple(noted))
        return []

    return act


def advance_origin(name: str, wanted: str) -> Act:
    """The subscription's own position, never back; lost with this transaction in a crash."""

    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield from ()
        found, position = backend.server.subscriptions.get(name), from_text(wanted)
        if found is None or found.origin >= position:
            return []
        if found.worker is not None:
            raise ServerError("55006", "replication origin is already active")
        backend.transaction.on_visible.append(lambda _: found.advance(position))
        return [("",)]

    return act


def create_slot(name: str | None = None, *, temporary: bool = False) -> Act:
    """It waits for every transaction that was writing when it was asked for."""

    def act(backend: "Backend", task: Task, parameters: Sequence[Any] | None) -> Work[Rows]:
        server, wanted = backend.server, name if name is not None else str((parameters or [""])[0])
        yield server.latency.statement()
        if wanted in server.slots:
            raise ServerError("42710", f'replication slot "{wanted}" already exists')
        older = [tx for tx in server.running.values() if tx is not backend.transaction and tx.locks]
        while any(id(tx) in server.running for tx in older):
            server.ended.wait(task)
            yield FOREVER
        server.log_snapshot()
        yield from server.flush(server.wal.inserted)
        server.make_slot(wanted, temporary=temporary)
        return [(wanted,)]

    return act


def drop_slot(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield backend.server.latency.statement()
    slot = backend.server.slots.get(parameters[0])
    if slot is None:
        raise ServerError("42704", f'replication slot "{parameters[0]}" does not exist')
    if slot.active_pid is not None:
        raise ServerError("55006", f'replication slot "{slot.name}" is active for PID {slot.active_pid}')
    del backend.server.slots[slot.name]
    return [("",)]


def advance_to(backend: "Backend", name: str, wanted: int) -> Work[Rows]:
    """Never past what is on disk."""
    server = backend.server
    slot = server.slots.get(name)
    if slot is None:
        raise ServerError("42704", f'replication slot "{name}" does not exist')
    if slot.active_pid is not None:
        raise ServerError("55006", f'replication slot "{name}" is active for PID {slot.active_pid}')
    position = min(wanted, server.wal.flushed)
    if position < slot.confirmed:
        raise ServerError("55000", "cannot advance replication slot backwards")
    slot.active_pid = backend.pid
    try:
        yield server.latency.statement()
        server.slot_moved(slot, position)
    finally:
        if slot.active_pid == backend.pid:
            slot.active_pid = None
    return [("",)]


def advance_closed(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    """Only while this side is closed and nobody uses the slot."""
    server, name = backend.server, str(parameters[1])
    slot, writer = server.slots.get(name), server.catalog.writer
    if slot is None or slot.active_pid is not None or writer is None or writer.open:
        yield from ()
        return []
    return (yield from advance_to(backend, name, max(from_text(str(parameters[0])), slot.confirmed)))


def advance_now(name: str) -> Act:
    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        return (yield from advance_to(backend, name, backend.server.wal.flushed))

    return act


def log_snapshot(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    yield from ()
    backend.server.log_snapshot()
    return [("",)]


def emit_message(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    """A transaction without rows, but with something to flush."""
    yield from ()
    backend.transaction.logs = True
    return [("",)]


# publications and subscriptions


def create_publication(name: str, tables: tuple[str, ...]) -> Act:
    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield backend.server.latency.statement()
        catalog = backend.server.catalog
        if name in catalog.publications:
            raise ServerError("42710", f'publication "{name}" already exists')
        backend.transaction.stage(publications={**catalog.publications, name: tables})
        return []

    return act


def drop_publication(name: str) -> Act:
    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield backend.server.latency.statement()
        kept = {known: tables for known, tables in publications(backend) if known != name}
        backend.transaction.stage(publications=kept)
        return []

    return act


def create_subscription(name: str, *, copy: bool) -> Act:
    """It asks the publisher for its tables."""

    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        server, peer = backend.server, backend.server.peer
        yield server.link.one_way() * 2
        if not server.link.up or not peer.up:
            raise ServerError("08006", "could not connect to the publisher")
        if name in server.subscriptions:
            raise ServerError("42710", f'subscription "{name}" already exists')
        tables = peer.catalog.publications.get(name, ())
        server.subscriptions[name] = Subscription(
            server=server,
            publisher=peer,
            link=server.link,
            name=name,
            oid=server.new_pid(),
            slot_name=name,
            enabled=copy,
            relations={table: Relation("i" if copy else "r") for table in tables},
        )
        return []

    return act


def alter_subscription(name: str, what: str) -> Act:
    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield backend.server.latency.statement()
        found = backend.server.subscriptions.get(name)
        if found is None:
            raise ServerError("42704", f'subscription "{name}" does not exist')
        if what == "ENABLE":
            found.enable()
        elif what == "DISABLE":
            found.disable()
        elif what == "SET (slot_name = NONE)":
            found.slot_name = None
        else:
            raise ServerError("0A000", f"ALTER SUBSCRIPTION … {what} is not modelled")
        return []

    return act


def drop_subscription(name: str) -> Act:
    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield backend.server.latency.statement()
        found = backend.server.subscriptions.get(name)
        if found is not None:
            found.drop()
        return []

    return act
