"""Statements that only look: answered at one instant, by their very text. What is not here is not understood."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crossfade.database.fence import _WRITERS as WRITERS
from crossfade.database.grants import _OPEN as OPEN
from crossfade.database.looks import _AGE as AGE
from crossfade.database.looks import _CHAIN as CHAIN
from crossfade.simulation.postgres.answers import Read, Rows, installed
from crossfade.simulation.postgres.catalog import BEAT, MARKER
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.replication_reads import REPLICATION_READS
from crossfade.simulation.postgres.tables import Beats
from crossfade.simulation.postgres.transaction import Transaction

if TYPE_CHECKING:
    from crossfade.simulation.postgres.backend import Backend
    from crossfade.simulation.postgres.server import Server


def _beats(server: "Server") -> Beats:
    beats = server.table(BEAT)
    assert isinstance(beats, Beats)
    return beats


# crossfade.database.state


def _is_installed(backend: "Backend", _: Any) -> Rows:
    return [(backend.server.catalog.installed,)]


def _state_of(backend: "Backend", _: Any) -> Rows:
    installed(backend.server)
    writer = backend.server.catalog.writer
    return [] if writer is None else [(writer.open, writer.epoch)]


def _since(backend: "Backend", _: Any) -> Rows:
    writer = backend.server.catalog.writer
    return [] if writer is None else [(writer.since,)]


def _remembered(backend: "Backend", parameters: Sequence[object]) -> Rows:
    installed(backend.server)
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
    marker = backend.server.table(MARKER).get(parameters)
    return [] if marker is None else [(marker.epoch,)]


def _token(backend: "Backend", parameters: tuple[str, str]) -> Rows:
    table = backend.server.tables.get(MARKER)
    marker = table.get(parameters) if table is not None else None
    return [] if marker is None else [(marker.token,)]


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
    "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND (n.nspname IN (SELECT schema_name FROM crossfade.scope)"
    " OR (n.nspname = 'crossfade' AND c.relname IN ('marker', 'beat'))) ORDER BY n.nspname = 'crossfade', 1": _lockable,
    WRITERS: _writers_inside,
    OPEN: _is_open,
    "SELECT 1 FROM crossfade.beat WHERE origin = %s AND n >= %s": _arrived,
    CHAIN: _chain,
    AGE: _age,
    "SELECT epoch FROM crossfade.marker WHERE origin = %s AND purpose = %s": _proven,
    "SELECT token::text FROM crossfade.marker WHERE origin = %s AND purpose = %s": _token,
    "SELECT format('%I.%I', t.schemaname, t.relname) FROM pg_stat_user_tables t"
    " JOIN crossfade.scope s ON s.schema_name = t.schemaname"
    " WHERE t.n_mod_since_analyze > 0 OR t.n_dead_tup > 0 OR t.last_analyze IS NULL": _changed,
    **REPLICATION_READS,
}
# also where one cannot be answered at once, and is split like any script
READS |= {text.strip(): read for text, read in READS.items()}
