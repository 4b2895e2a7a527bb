"""A verification from its beginning to its end: find the direction, read the catalogs, compare, gather."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from psycopg import sql

from crossfade.model.seen import Verification
from crossfade.model.terms import Side
from crossfade.verify import live, rest, sequences
from crossfade.verify.age import Ages, horizon_of
from crossfade.verify.errors import ReplicationNotFound, ServerUnreachable
from crossfade.verify.load import Deadline, Pace, Yielding
from crossfade.verify.manifest import Manifest, MemoryManifest, Outcome, Progress
from crossfade.verify.outcome import Finding
from crossfade.verify.relation import TablePair
from crossfade.verify.replay import Replay, SlotReplay, find_slots
from crossfade.verify.scope import Scope
from crossfade.verify.session import Session
from crossfade.verify.settings import Values, VerifySettings
from crossfade.verify.statement import NOTHING_TOLD, TableStatements, Told
from crossfade.verify.telling import told
from crossfade.verify.workers import CONNECT_AGAIN_SECONDS, Bench, Comparison, Work, work_all

Replays = Callable[[Session], Replay]
OpenManifest = Callable[[str], Manifest]  # by the fingerprint of what is compared, and how

# tables whose first copy a subscription has not finished; partitions count for their root
_COPYING = sql.SQL("""
    SELECT DISTINCT n.nspname || '.' || c.relname
    FROM pg_subscription_rel s JOIN pg_class p ON p.oid = s.srrelid
    JOIN pg_class c ON c.oid = CASE WHEN p.relispartition THEN pg_partition_root(p.oid)::oid ELSE p.oid END
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE s.srsubstate <> 'r'
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A verification with the values that were asked for, and the side that the other ought to be like."""

    verification: Verification
    findings: tuple[Finding, ...]
    tables: tuple[TablePair, ...]
    primary: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """At rest, or live with `primary` taking writes (None: it is found out).

    `replays` makes the wait for the other side from a session of the primary, where slots cannot tell. `manifest` opens
    the one that the work is shared by; without it there is one in memory.
    """

    live: bool = False
    primary: Side | None = None
    replays: Replays | None = None
    manifest: OpenManifest = field(default=lambda _: MemoryManifest())
    progress: Callable[[Progress], None] = field(default=lambda _: None)


def examine(settings: VerifySettings, how: How) -> Examination:
    """Raises the errors of `crossfade.verify.errors`. A table that cannot be read counts as unresolved."""
    began = time.monotonic()
    paces = {side: Pace(settings.limits.statements_per_second) for side in Side}
    with ExitStack() as stack:
        by_side = _sessions(settings, paces, stack)
        side, slots = _direction(settings, by_side, how) if how.live else (Side.SOURCE, ())
        scope = Scope.read(settings, by_side[Side.SOURCE], by_side[Side.TARGET])
        method = _Method(settings=settings, how=how, primary=side, slots=slots, standing=[by_side], paces=paces)
        places = tuple(session.place for session in by_side.values())
        manifest = how.manifest(scope.fingerprint(*places, str(how.live), side, str(settings.strict)))
        copying = {row[0] for row in by_side[side.other].rows(_COPYING)} if how.live else set[str]()
        compared = {table.title: table for table in scope.tables if table.on(side.other).title not in copying}
        manifest.begin(tuple(compared))
        work = Work(
            tables=compared,
            manifest=manifest,
            chunk_rows=settings.live_chunk_rows if how.live else settings.rest_chunk_rows,
            parts_in_chunk=1 if how.live else rest.PARTS_IN_CHUNK,
            pause_seconds=settings.pause.total_seconds(),
            deadline=Deadline(settings.time_limit),
            reconnect_seconds=settings.reconnect_for.total_seconds(),
            yielding=Yielding(settings.limits, workers=settings.workers),
            told=how.progress,
        )
        work_all(work, method.bench, settings.workers)
        unfinished = [f"{t.title}: its first copy is not finished" for t in scope.tables if t.title not in compared]
        ahead, behind = (side, side.other) if how.live else (Side.TARGET, Side.SOURCE)
        lagging = sequences.behind(scope.sequences[ahead], scope.sequences[behind])
        outcomes = [found for _, found in manifest.outcomes()]
        untold = (
            _altered(settings, scope, paces, {text.split(":")[0] for text in _unresolved(outcomes)}) if how.live else ()
        )
        findings = tuple(finding for found in outcomes for finding in found.findings)
        verification = Verification(
            tables=len(scope.tables),
            rows=sum(found.rows for found in outcomes),
            differences=(*(finding.difference for finding in findings), *lagging),
            unresolved=tuple(dict.fromkeys((*scope.problems, *unfinished, *_unresolved(outcomes), *untold))),
            duration=timedelta(seconds=time.monotonic() - began),
        )
        return Examination(verification=verification, findings=findings, tables=scope.tables, primary=side)


def _altered(settings: VerifySettings, scope: Scope, paces: Mapping[Side, Pace], told_of: set[str]) -> tuple[str, ...]:
    """Tables that were changed meanwhile and of which nothing else tells; by new sessions, old ones may be lost."""
    until = time.monotonic() + settings.reconnect_for.total_seconds()
    while True:
        try:
            with ExitStack() as stack:
                by_side = _sessions(settings, paces, stack)
                later = Scope.read(settings, by_side[Side.SOURCE], by_side[Side.TARGET])
            return tuple(text for text in scope.altered(later) if text.split(":")[0] not in told_of)
        except ServerUnreachable:
            if time.monotonic() >= until:
                raise
            time.sleep(CONNECT_AGAIN_SECONDS)  # the server needs a while to start


def _unresolved(outcomes: list[Outcome]) -> Iterator[str]:
    for found in outcomes:
        yield from found.unresolved


@dataclass(frozen=True, slots=True, kw_only=True)
class _Method:
    """How each worker compares; the first one takes the sessions that stand already."""

    settings: VerifySettings
    how: How
    primary: Side
    slots: tuple[str, ...]
    standing: list[Mapping[Side, Session]]
    paces: Mapping[Side, Pace]
    mask_key: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def bench(self, stack: ExitStack) -> Bench:
        settings = self.settings
        sessions = self.standing.pop() if self.standing else _sessions(settings, self.paces, stack)
        side = self.primary

        def statements(table: TablePair, of: Side) -> TableStatements:
            return TableStatements(sessions[of], table, strict=settings.strict)

        if self.how.live:
            writer = sessions[side]
            replays = self.how.replays
            replay = replays(writer) if replays else SlotReplay(writer, self.slots, patience=settings.patience)
            ages = Ages(source=horizon_of(sessions[Side.SOURCE]), target=horizon_of(sessions[Side.TARGET]))

            def comparison(table: TablePair) -> Comparison:
                here, there = statements(table, side), statements(table, side.other)
                return live.LiveComparison(
                    here,
                    there,
                    replay,
                    ages=ages,
                    told=self._told(table),
                    settling=settings.settling,
                )

        else:
            beside = stack.enter_context(ThreadPoolExecutor(1))

            def comparison(table: TablePair) -> Comparison:
                here, there = statements(table, Side.SOURCE), statements(table, Side.TARGET)
                return rest.RestComparison(here, there, beside, told=self._told(table))

        return Bench(
            source=sessions[Side.SOURCE],
            target=sessions[Side.TARGET],
            primary=lambda table: statements(table, side),
            comparison=_latest(comparison),
        )

    def _told(self, table: TablePair) -> Told:
        if self.settings.values is Values.NONE:
            return NOTHING_TOLD
        return {side: told(self.settings.values, table, side, mask_key=self.mask_key) for side in Side}


def _latest(make: Callable[[TablePair], Comparison]) -> Callable[[TablePair], Comparison]:
    """The same for one chunk of a table after the other, so that its statements are built once."""
    kept: dict[str, Comparison] = {}

    def comparison(table: TablePair) -> Comparison:
        if table.title not in kept:
            kept.clear()
            kept[table.title] = make(table)
        return kept[table.title]

    return comparison


def _sessions(settings: VerifySettings, paces: Mapping[Side, Pace], stack: ExitStack) -> dict[Side, Session]:
    dsns = {Side.SOURCE: settings.source, Side.TARGET: settings.target}
    timeout = settings.statement_timeout
    return {
        side: stack.enter_context(Session(side, dsn, statement_timeout=timeout, before=paces[side].wait))
        for side, dsn in dsns.items()
    }


def _direction(settings: VerifySettings, by_side: Mapping[Side, Session], how: How) -> tuple[Side, tuple[str, ...]]:
    """The side that takes writes and the slots by which they reach the other."""
    primary = how.primary
    if primary is not None and (primary in settings.slots or how.replays is not None):
        slot = settings.slots.get(primary)
        return primary, (slot,) if slot else ()
    for side in [primary] if primary else list(Side):
        slots = find_slots(by_side[side], by_side[side.other])
        if slots:
            return side, slots
    raise ReplicationNotFound("no enabled subscription of one side is fed by a slot of the other")
