"""The functions of schema `crossfade`, modelled after src/crossfade/database/sql, in the order of their statements."""

import uuid
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from crossfade.simulation.postgres.catalog import BEAT, MARKER, SUPERUSERS, Grant, Marker, Plan, Writer
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.storage import WRITER_ROW
from crossfade.simulation.postgres.tables import Beats
from crossfade.simulation.postgres.task import ServerError, Task
from crossfade.simulation.postgres.transaction import Transaction

if TYPE_CHECKING:
    from crossfade.simulation.postgres.server import Server

_KEPT_BEATS = 200

Answer = Generator[float, bool, Any]
Function = Callable[["Server", Task, Transaction, list[str]], Answer]


def _writer(server: "Server", tx: Transaction) -> Writer:
    writer = tx.seen(server.catalog).writer
    if writer is None:
        raise ServerError("42P01", 'relation "crossfade.writer" does not exist')
    return writer


def claim(server: "Server", task: Task, tx: Transaction, epoch: int, *, opening: bool) -> Answer:
    """Takes the epoch for this side, or refuses: a later one has been here."""
    yield from server.lock(task, tx, WRITER_ROW, Mode.EXCLUSIVE)
    held = _writer(server, tx)
    if held.epoch > epoch:
        raise ServerError("CF001", f"epoch {epoch} is over: this side holds {held.epoch}")
    horizon = held.horizon if held.open == opening else server.wal.inserted
    tx.stage(writer=held._replace(open=opening, epoch=epoch, since=server.now(), horizon=horizon))


def stoppable(server: "Server", tx: Transaction) -> tuple[Grant, ...]:
    """What a fence takes: every right to write but superusers'."""
    catalog = tx.seen(server.catalog)
    return tuple(grant for grant in catalog.grants if grant.role not in SUPERUSERS and grant.table in catalog.columns)


def take_grants(server: "Server", tx: Transaction) -> None:
    """Notes every right to write, and takes it."""
    _take(server, tx, stoppable(server, tx))


def _take(server: "Server", tx: Transaction, taken: tuple[Grant, ...]) -> None:
    catalog = tx.seen(server.catalog)
    tx.stage(
        grants=tuple(grant for grant in catalog.grants if grant not in taken),
        fenced=(*catalog.fenced, *(grant for grant in taken if grant not in catalog.fenced)),
        version=catalog.version + 1,
    )


def plan_fence(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:
    """A fence that is taken back but for its plan. Answers with the roles that could still write."""
    version = tx.seen(server.catalog).version
    before = dict(tx.staged)
    yield from claim(server, task, tx, int(args[0]), opening=False)
    take_grants(server, tx)
    tried = tx.seen(server.catalog)
    leaks = [(role,) for role in tried.unstoppable] + [(grant.role,) for grant in stoppable(server, tx)]
    tx.staged = {**before, "plan": Plan(version, tried.fenced)}
    return leaks


def fence(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:
    """By its plan when nothing has changed since, else worked out anew."""
    yield from claim(server, task, tx, int(args[0]), opening=False)
    yield server.latency.statement()
    catalog = tx.seen(server.catalog)
    if not catalog.fenced and catalog.plan is not None and catalog.plan.version == catalog.version:
        _take(server, tx, catalog.plan.taken)
    else:
        take_grants(server, tx)
    return ""


def plan_opening(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:  # noqa: ARG001 - as each
    """What is said is worked out again by `open` whenever it must be: here it only takes its time."""
    yield server.latency.statement()
    return ""


def open_side(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:
    """Gives back what the fence took, and makes this side the one that takes writes."""
    yield from claim(server, task, tx, int(args[0]), opening=True)
    yield server.latency.statement()
    catalog = tx.seen(server.catalog)
    back = (grant for grant in catalog.fenced if grant.table in catalog.columns and grant not in catalog.grants)
    tx.stage(grants=(*catalog.grants, *back), fenced=(), version=catalog.version + 1)
    return ""


def claim_function(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:
    yield from claim(server, task, tx, int(args[0]), opening=args[1].lower() in {"true", "t"})
    return ""


def mark(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:
    """The marker of a purpose, after everything before it; a drain's carries the sequences."""
    purpose, token = args
    writer = _writer(server, tx)
    yield from server.lock(task, tx, MARKER, Mode.WRITE)
    yield from server.lock(task, tx, f"{MARKER}:{purpose}", Mode.EXCLUSIVE)
    sequences = None
    if purpose == "drain":
        sequences = tuple((name, value) for name, value in server.sequences.items() if value is not None)
    key = (str(writer.side), purpose)
    tx.change(MARKER, key, server.table(MARKER).get(key), Marker(token, writer.epoch, sequences))
    return ""


def await_marker(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:  # noqa: ARG001 - as each
    """Returns once the marker is here, and with it everything that was committed before it on the other side."""
    token, seconds = args[0], float(args[1].removesuffix(" s"))
    deadline = server.hub.seconds + seconds
    while _with(server, token) is None:
        if server.hub.seconds >= deadline:
            raise ServerError("CF002", f"the marker did not arrive within {args[1]}")
        server.arrived.wait(task)
        yield deadline - server.hub.seconds
    return str(server.now())


def _with(server: "Server", token: str) -> tuple[str, Marker] | None:
    for (origin, _), marker in server.table(MARKER).content().items():
        if marker.token == token:
            return origin, marker
    return None


def take_over(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:
    """Sequences ahead of the old side's by a margin, never back; and a marker, so that there is something to flush."""
    found = _with(server, args[0])
    if found is None:
        raise ServerError("P0002", "query returned no rows")
    for name, value in found[1].sequences or ():
        if name in server.sequences:
            server.sequences[name] = max(value + int(args[1]), server.sequences[name] or value)
    yield from mark(server, task, tx, ["opening", str(uuid.uuid4())])
    return ""


def unskipped(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:  # noqa: ARG001 - as each
    """How many changes the slot would still send; only what is on disk can be decoded."""
    yield server.latency.statement()
    slot = server.slots.get(args[0])
    if slot is None:
        raise ServerError("42704", f'replication slot "{args[0]}" does not exist')
    if slot.active_pid is not None:
        raise ServerError("55006", f'replication slot "{slot.name}" is active for PID {slot.active_pid}')
    published = server.catalog.publications[slot.name]
    commits = server.wal.between(slot.confirmed, server.wal.flushed)
    return sum(change.table in published for commit in commits for change in commit.changes)


def recounted(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:  # noqa: ARG001 - as each
    yield server.latency.statement()
    return server.recounted(args[0])


def echoed(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:  # noqa: ARG001 - as each
    """How many changes the slot would send from where the way back begins that were not made here."""
    yield server.latency.statement()
    slot = server.slots.get(args[0])
    if slot is None:
        raise ServerError("42704", f'replication slot "{args[0]}" does not exist')
    published = server.catalog.publications[slot.name]
    record = server.catalog.slot_record(slot.name)
    begins = max(slot.confirmed, (record.begins_at or 0) if record is not None else 0)
    commits = (commit for commit in server.wal.between(begins, server.wal.flushed) if commit.replicated)
    return sum(change.table in published for commit in commits for change in commit.changes)


def beat(server: "Server", task: Task, tx: Transaction, args: list[str]) -> Answer:  # noqa: ARG001 - as each
    """A beat of the side that takes writes. The lock on the row keeps a beat from crossing a fence."""
    if not _writer(server, tx).open:
        return None
    yield from server.lock(task, tx, WRITER_ROW, Mode.EXCLUSIVE)
    writer = _writer(server, tx)
    if not writer.open:
        return None
    yield from server.lock(task, tx, BEAT, Mode.WRITE)
    beats, origin = server.table(BEAT), str(writer.side)
    assert isinstance(beats, Beats)
    fresh = (beats.newest(origin) or 0) + 1
    tx.change(BEAT, (origin, fresh), None, server.now().timestamp())
    for n, at in beats.of.get(origin, {}).items():
        if n > fresh - _KEPT_BEATS:
            break
        tx.change(BEAT, (origin, n), at, None)
    return fresh


FUNCTIONS: dict[str, Function] = {
    "crossfade.plan_fence": plan_fence,
    "crossfade.fence": fence,
    "crossfade.plan_opening": plan_opening,
    "crossfade.open": open_side,
    "crossfade.claim": claim_function,
    "crossfade.mark": mark,
    "crossfade.await": await_marker,
    "crossfade.take_over": take_over,
    "crossfade.unskipped": unskipped,
    "crossfade.recounted": recounted,
    "crossfade.echoed": echoed,
    "crossfade.beat": beat,
}
