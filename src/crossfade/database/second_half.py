"""What the source's schema has beside the tables: indexes, foreign keys, triggers and the rest, made once rows stand.

Several sessions work at once. Each object is made in a transaction of its own that also notes it, so that nothing that
stands is made again after a crash.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import timedelta

from psycopg import sql

from crossfade.database import fence, state
from crossfade.database.crew import Crew
from crossfade.database.dump import Archive, Entry
from crossfade.database.errors import ObjectsNotMade, StatementFailed
from crossfade.database.pieces import ForeignKey, Piece, Weight, pieces_of
from crossfade.database.session import Session

LONG = timedelta(hours=24)  # an index over hundreds of gigabytes takes its time
_TRIES = 3
_DEADLOCK = "40P01"  # with the apply worker: it locks tables in the order in which users wrote
_PARTITIONED_LATER = 180000  # before 18 a partitioned table takes no foreign key that is not validated


def make(
    archive: Archive,
    entries: Iterable[Entry],
    source: Session,
    target: Session,
    connect: Callable[[], Session],
    at_once: int,
) -> None:
    """Make `entries` on the target, `at_once` of them at a time. Raises `ObjectsNotMade` with every failure.

    Whoever calls it is alone there; what an engine that died still makes is ended first.
    """
    fence.end_makers(target)
    pieces = pieces_of(entries, archive.needs(), _weights(source, target))
    made = state.remembered(target, "second")
    left = [piece for piece in pieces if piece.name not in made]
    if not left:
        return
    with ExitStack() as stack:
        sessions = [stack.enter_context(connect()) for _ in range(min(at_once, len(left)))]
        for session in sessions:
            fence.say_that_it_makes(session)
        crew = Crew(
            sessions,
            make=lambda session, piece: _make(archive, session, piece),
            end=lambda session: target.rows("SELECT pg_terminate_backend(%s)", (session.pid,)),
        )
        crew.carry_out(left, made)
    if crew.failures:
        raise ObjectsNotMade(target.side, crew.failures)


def _make(archive: Archive, session: Session, piece: Piece) -> None:
    noted = sql.SQL("INSERT INTO crossfade.made VALUES ('second', {})").format(sql.Literal(piece.name)).as_string()
    text = piece.statement or archive.sql([piece.entry])
    for tries_left in reversed(range(_TRIES)):
        try:
            session.run(f"BEGIN;\n{text}\n;{noted}; COMMIT", patience=LONG)
        except StatementFailed as failure:
            session.roll_back()
            if tries_left == 0 or failure.sqlstate != _DEADLOCK:
                raise
        else:
            return


def _weights(source: Session, target: Session) -> dict[tuple[int, int], Weight]:
    """By catalog and number there. Sizes are the source's: a target that has just been loaded has no index yet."""
    later = int(target.value("SHOW server_version_num")) >= _PARTITIONED_LATER
    source.rows("SET search_path = ''")  # then definitions name their schemas
    try:
        rows = source.rows(_WEIGHTS)
    finally:
        if not source.closed:
            source.rows("RESET search_path")
    found: dict[tuple[int, int], Weight] = {}
    for catalog, oid, table, other, size, partitioned, add, validate in rows:
        splits = add is not None and (later or not partitioned)
        key = ForeignKey(add=add, validate=validate) if splits else None
        found[catalog, oid] = Weight(table=table, other=other, size_bytes=int(size or 0), foreign_key=key)
    return found


# a partition's root stands for the whole tree: a foreign key of one is made on all. Who is not validated on the source
# stays so on the target.
_WEIGHTS = """
SELECT 1259, i.indexrelid::bigint, i.indrelid::bigint, 0::bigint, pg_relation_size(i.indexrelid), false, NULL, NULL
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN crossfade.scope s
    ON s.schema_name = (SELECT nspname FROM pg_namespace n WHERE n.oid = t.relnamespace)
UNION ALL
SELECT 2606, k.oid::bigint,
       CASE k.contype WHEN 'f' THEN coalesce(pg_partition_root(k.conrelid), k.conrelid) ELSE k.conrelid END::bigint,
       coalesce(pg_partition_root(nullif(k.confrelid, 0)), k.confrelid)::bigint,
       CASE k.contype WHEN 'f'
            THEN coalesce((SELECT sum(pg_relation_size(p.relid)) FROM pg_partition_tree(k.conrelid) p),
                          pg_relation_size(k.conrelid))
            ELSE pg_relation_size(k.conindid) END,
       t.relkind = 'p',
       CASE WHEN k.contype = 'f' AND k.convalidated
            THEN format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s NOT VALID', n.nspname, t.relname, k.conname,
                        pg_get_constraintdef(k.oid)) END,
       format('ALTER TABLE %I.%I VALIDATE CONSTRAINT %I', n.nspname, t.relname, k.conname)
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN crossfade.scope s ON s.schema_name = n.nspname
"""
