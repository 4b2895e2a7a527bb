"""Statements that change something or take time, by their text or by how they begin."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from crossfade.model.terms import Side
from crossfade.simulation.postgres.catalog import BEAT, MARKER, Writer
from crossfade.simulation.postgres.functions import FUNCTIONS
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.task import ServerError, Task, Work

if TYPE_CHECKING:
    from crossfade.simulation.postgres.backend import Backend

Rows = list[tuple[Any, ...]]
Act = Callable[["Backend", Task, Any], Work[Rows]]

CREATE_FIRST_HALF = "CREATE THE FIRST HALF OF THE APPLICATION"
CREATE_SECOND_HALF = "CREATE THE SECOND HALF OF THE APPLICATION"
DROP_APPLICATION = "DROP THE APPLICATION"
"""What pg_dump and pg_restore stand for; not SQL."""

_SCHEMA_SECONDS = (0.05, 0.4)
_LOAD_SECONDS = (0.002, 0.02)


def call(name: str, args: list[str] | None = None, *, label: str | None = None) -> Act:
    """A function of ours; its arguments are the parameters unless they stand in the text."""
    if name not in FUNCTIONS:
        raise ServerError("42883", f"the model does not understand: {name}")

    def act(backend: "Backend", task: Task, parameters: Sequence[object] | None) -> Work[Rows]:
        if not backend.server.catalog.installed:
            raise ServerError("3F000", 'schema "crossfade" does not exist')
        given = args if args is not None else [str(value) for value in parameters or ()]
        answer = yield from FUNCTIONS[name](backend.server, task, backend.transaction, given)
        if label is not None:
            return [(label, answer)]
        return answer if isinstance(answer, list) else [(answer,)]

    return act


# crossfade.database.state


def install(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    yield backend.server.latency.between(*_LOAD_SECONDS)
    for name in (MARKER, BEAT):
        backend.server.tables.setdefault(name, backend.server.new_table(name))
    backend.transaction.stage(installed=True)
    return []


def set_scope(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    backend.transaction.stage(scope=tuple(parameters[0]))
    return []


def set_writer(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    if backend.server.catalog.writer is None:
        since = backend.server.now()
        backend.transaction.stage(writer=Writer(Side(parameters[0]), bool(parameters[1]), 0, since))
    return []


def remember(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    catalog, made = backend.transaction.seen(backend.server.catalog), (str(parameters[0]), str(parameters[1]))
    if made not in catalog.made:
        backend.transaction.stage(made=(*catalog.made, made))
    return []


def uninstall(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    server = backend.server
    yield server.latency.between(*_LOAD_SECONDS)
    published = {name: tuple(t for t in tables if t not in {MARKER, BEAT}) for name, tables in publications(backend)}
    backend.transaction.stage(
        installed=False, scope=(), writer=None, fenced=(), plan=None, slot_records=(), made=(), publications=published
    )
    for name in (MARKER, BEAT):
        server.tables.pop(name, None)
    return []


def publications(backend: "Backend") -> list[tuple[str, tuple[str, ...]]]:
    return list(backend.server.catalog.publications.items())


# the application's schema


def first_half(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    server = backend.server
    yield server.latency.between(*_SCHEMA_SECONDS)
    columns = server.peer.catalog.columns
    if server.catalog.columns:
        raise ServerError("42P07", f'relation "{next(iter(server.catalog.columns))}" already exists')
    for table in columns:
        server.tables.setdefault(table, server.new_table(table))
    for name in server.peer.sequences:
        server.sequences.setdefault(name, None)
    catalog = backend.transaction.seen(server.catalog)
    held = server.peer.catalog
    backend.transaction.stage(columns=dict(columns), grants=(*held.grants, *held.fenced), version=catalog.version + 1)
    return []


def second_half(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    yield backend.server.latency.between(*_SCHEMA_SECONDS)
    return []


def drop_application(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    server = backend.server
    yield server.latency.between(*_SCHEMA_SECONDS)
    for table in server.catalog.columns:
        server.tables.pop(table, None)
    server.sequences.clear()
    backend.transaction.stage(columns={}, grants=(), version=server.catalog.version + 1)
    return []


def vacuum(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    yield backend.server.latency.between(*_LOAD_SECONDS)
    backend.server.statistics_due = False
    return []


# sessions and locks


def try_lock(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    return [(backend.server.advisory.setdefault(tuple(parameters), backend) is backend,)]


def unlock(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    held = backend.server.advisory.get(tuple(parameters)) is backend
    if held:
        del backend.server.advisory[tuple(parameters)]
    return [(held,)]


def end_switches(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    holder = backend.server.advisory.get(tuple(parameters))
    if holder is None or holder is backend:
        return []
    holder.terminate()
    return [(True,)]


def terminate(backend: "Backend", _task: Task, parameters: Sequence[Any]) -> Work[Rows]:
    yield from ()
    server, pid = backend.server, int(parameters[0])
    attached = server.backends.get(pid)
    if attached is not None:
        attached.terminate()
    elif pid in server.senders:
        server.senders[pid]()
    return [(True,)]


def lock_table(table: str) -> Act:
    def act(backend: "Backend", task: Task, _: Any) -> Work[Rows]:
        if table not in backend.server.tables:
            raise ServerError("42P01", f'relation "{table}" does not exist')
        yield from backend.server.lock(task, backend.transaction, table, Mode.SHARE)
        return []

    return act


def point(name: str) -> Act:
    """When a script came this far, by the server's clock."""

    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield from ()
        return [(name, repr(backend.server.now().timestamp()))]

    return act


def remembering(kind: str, name: str) -> Act:
    def act(backend: "Backend", task: Task, _: Any) -> Work[Rows]:
        return remember(backend, task, (kind, name))

    return act


_SETTINGS = (
    "client_min_messages",
    "deadlock_timeout",
    "synchronous_commit",
    "tcp_keepalives_count",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
)


def check_client(_backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
    """The model's statements are short: none outlives its client for long."""
    yield from ()
    return []


def set_parameter(name: str, value: str) -> Act:
    """Time limits count; some others are known to be set; any other is not understood."""
    if name in {"statement_timeout", "lock_timeout"}:
        seconds = _seconds(value)
    elif name not in _SETTINGS and name != "ALL":
        raise ServerError("42704", f"the model does not understand: SET {name}")

    def act(backend: "Backend", _task: Task, _: Any) -> Work[Rows]:
        yield from ()
        if name == "statement_timeout":
            backend.statement_timeout = seconds
        elif name == "lock_timeout":
            backend.transaction.lock_timeout = seconds
        return []

    return act


def _seconds(value: str) -> float:
    """Milliseconds without a unit."""
    text = value.strip("'")
    if text.endswith("ms"):
        return float(text[:-2]) / 1000
    return float(text[:-1]) if text.endswith("s") else float(text) / 1000
