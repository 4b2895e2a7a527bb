"""Verification of two PostgreSQL servers, 13 or newer, by nothing but reading."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from psycopg import sql

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Difference, Verification
from crossfade.model.terms import NoData, Side
from crossfade.verify import catalog, live, rest, sequences
from crossfade.verify.age import Ages, horizon_of
from crossfade.verify.errors import EncodingsDiffer, ReplicationNotFound, StatementFailed, TableMissing
from crossfade.verify.outcome import TableOutcome
from crossfade.verify.relation import TablePair, pair
from crossfade.verify.replay import Replay, SlotReplay, find_slots
from crossfade.verify.session import Session
from crossfade.verify.statement import TableStatements

# tables whose first copy a subscription has not finished; partitions count for their root
_COPYING = sql.SQL("""
    SELECT DISTINCT n.nspname || '.' || c.relname
    FROM pg_subscription_rel s JOIN pg_class p ON p.oid = s.srrelid
    JOIN pg_class c ON c.oid = CASE WHEN p.relispartition THEN pg_partition_root(p.oid)::oid ELSE p.oid END
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE s.srsubstate <> 'r'
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySettings:
    """What to compare and how gently.

    `tables` are `schema.table` or `table`; empty means all. `schemas` empty means all but the system's and our own.
    `slots` names the logical slot on each side while that side is the primary; without one it is looked up.
    `pause` is kept between two chunks. `patience` is for the other side to replay a position.
    `strict` compares the text of values: 1.10 and 1.1 then differ.
    """

    source: str = field(repr=False)
    target: str = field(repr=False)
    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    slots: Mapping[Side, str] = field(default_factory=dict)
    pause: timedelta = timedelta(0)
    patience: timedelta = timedelta(seconds=30)
    statement_timeout: timedelta = timedelta(minutes=10)
    strict: bool = False
    rest_chunk_rows: int = rest.CHUNK_ROWS
    live_chunk_rows: int = live.CHUNK_ROWS


class PostgresVerifier:
    """The engine's verifier: live, in whichever direction replication runs."""

    def __init__(self, settings: VerifySettings, *, replays: Callable[[Session], Replay] | None = None) -> None:
        """`replays` makes the wait for the other side from a session of the primary, where slots cannot tell."""
        self._settings, self._replays = settings, replays

    def verify(self, primary: Side) -> Verification | NoData:
        """Never raises for what servers and networks do: NO_DATA then says why."""
        try:
            return verify_live(self._settings, primary, replays=self._replays)
        except CrossfadeError as exc:
            return NoData(reason=str(exc))


def verify_at_rest(settings: VerifySettings) -> Verification:
    """Compare both sides while nobody writes; the target's sequences must not be behind the source's.

    Raises the errors of `crossfade.verify.errors`. A table that cannot be read counts as unresolved.
    """
    began = time.monotonic()
    with _sessions(settings) as (source, target), ThreadPoolExecutor(1) as beside:
        scope = _Scope.read(settings, source, target)

        def compare(table: TablePair) -> TableOutcome:
            return rest.RestComparison(
                TableStatements(source, table, strict=settings.strict),
                TableStatements(target, table, strict=settings.strict),
                beside,
                chunk_rows=settings.rest_chunk_rows,
                pause=settings.pause,
            ).run()

        return scope.gather(compare, writable=Side.TARGET, began=began)


def verify_live(
    settings: VerifySettings, primary: Side | None = None, *, replays: Callable[[Session], Replay] | None = None
) -> Verification:
    """Compare both sides while `primary` takes writes (None: the side that an active subscription reads from).

    The primary's sequences must not be behind the other side's. Raises as `verify_at_rest` does, and
    `ReplicationNotFound` and `ReplayStalled`.
    """
    began = time.monotonic()
    with _sessions(settings) as (source, target):
        by_side = {Side.SOURCE: source, Side.TARGET: target}
        side, slots = _direction(settings, by_side, primary, slots_needed=replays is None)
        writer, reader = by_side[side], by_side[side.other]
        replay = replays(writer) if replays else SlotReplay(writer, slots, patience=settings.patience)
        scope = _Scope.read(settings, source, target)
        copying = {row[0] for row in reader.rows(_COPYING)}
        ages = Ages(source=horizon_of(source), target=horizon_of(target))

        def compare(table: TablePair) -> TableOutcome:
            if table.on(side.other).title in copying:
                return TableOutcome(table=table, unresolved=[f"{table.title}: its first copy is not finished"])
            return live.LiveComparison(
                TableStatements(writer, table, strict=settings.strict),
                TableStatements(reader, table, strict=settings.strict),
                replay,
                chunk_rows=settings.live_chunk_rows,
                pause=settings.pause,
                ages=ages,
            ).run()

        return scope.gather(compare, writable=side, began=began)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What there is to compare, and what cannot be."""

    tables: tuple[TablePair, ...]
    problems: tuple[str, ...]
    sequences: Mapping[Side, dict[str, catalog.Sequence]]

    @classmethod
    def read(cls, settings: VerifySettings, source: Session, target: Session) -> "_Scope":
        encodings = catalog.read_encoding(source), catalog.read_encoding(target)
        if encodings[0] != encodings[1]:
            raise EncodingsDiffer(*encodings)
        here = catalog.read_relations(source, settings.schemas)
        there = catalog.read_relations(target, settings.schemas)
        wanted = _chosen(settings.tables, here.keys() | there.keys())
        tables = tuple(pair(here[name], there[name]) for name in wanted if name in here and name in there)
        problems = [f"{'.'.join(name)}: missing on the target" for name in wanted if name not in there]
        problems += [f"{'.'.join(name)}: stands only on the target" for name in wanted if name not in here]
        problems += [problem for table in tables for problem in table.problems]
        found = {s.side: catalog.read_sequences(s, settings.schemas) for s in (source, target)}
        if settings.tables:
            titles = {table.title for table in tables}
            found = {side: sequences.owned_by(titles, of_side) for side, of_side in found.items()}
        return cls(tables=tables, problems=tuple(problems), sequences=found)

    def gather(self, compare: Callable[[TablePair], TableOutcome], *, writable: Side, began: float) -> Verification:
        """Compare table after table; one that a server refuses to read is unresolved and the others go on."""
        rows, unresolved = 0, list(self.problems)
        differences: list[Difference] = []
        for table in self.tables:
            try:
                outcome = compare(table)
            except StatementFailed as exc:
                unresolved.append(f"{table.title}: {exc}")
                continue
            rows += outcome.rows
            differences += outcome.differences
            unresolved += outcome.unresolved
        differences += sequences.behind(self.sequences[writable], self.sequences[writable.other])
        return Verification(
            tables=len(self.tables),
            rows=rows,
            differences=tuple(differences),
            unresolved=tuple(unresolved),
            duration=timedelta(seconds=time.monotonic() - began),
        )


@contextmanager
def _sessions(settings: VerifySettings) -> Iterator[tuple[Session, Session]]:
    with ExitStack() as stack:
        timeout = settings.statement_timeout
        source = stack.enter_context(Session(Side.SOURCE, settings.source, statement_timeout=timeout))
        target = stack.enter_context(Session(Side.TARGET, settings.target, statement_timeout=timeout))
        yield source, target


def _chosen(asked: tuple[str, ...], standing: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The tables that were asked for, by `schema.table` or by `table` in any schema; all when none was."""
    if not asked:
        return sorted(standing)
    matches = {text: {name for name in standing if text in {".".join(name), name[1]}} for text in asked}
    nowhere = tuple(text for text, names in matches.items() if not names)
    if nowhere:
        raise TableMissing(nowhere)
    return sorted(set().union(*matches.values()))


def _direction(
    settings: VerifySettings, by_side: Mapping[Side, Session], primary: Side | None, *, slots_needed: bool
) -> tuple[Side, tuple[str, ...]]:
    """The side that takes writes and the slots by which they reach the other."""
    if primary is not None and (primary in settings.slots or not slots_needed):
        slot = settings.slots.get(primary)
        return primary, (slot,) if slot else ()
    for side in [primary] if primary else list(Side):
        slots = find_slots(by_side[side], by_side[side.other])
        if slots:
            return side, slots
    raise ReplicationNotFound("no enabled subscription of one side is fed by a slot of the other")
