"""Where a table is cut: by the statistics of its key, without reading it; else by walking the key's index."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from psycopg import sql

from crossfade.verify import chunks
from crossfade.verify.statement import Slice, TableStatements

_WHOLE = frozenset({"int2", "int4", "int8"})

# The histogram leaves out the most common values. A table that grew since it was analyzed has more rows than it says:
# its size today tells how many. Statistics of a partitioned table are those of all its partitions.
_HISTOGRAM = sql.SQL("""
    SELECT (c.reltuples * coalesce(pg_relation_size(c.oid)::float8 / nullif(c.relpages, 0)
                                   / current_setting('block_size')::int, 1))::int8,
           coalesce((SELECT max(f) FROM unnest(s.most_common_freqs) AS f), 0)::float8,
           s.histogram_bounds::text::text[]
    FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
    WHERE s.schemaname = %s AND s.tablename = %s AND s.attname = %s AND s.inherited = %s
      AND s.histogram_bounds IS NOT NULL AND c.reltuples > 0
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a table that is compared at once; `part` None: the whole table. `rows` is about how many it has."""

    table: str
    part: Slice | None
    rows: int


def cut(primary: TableStatements, rows: int, parts: int = 1) -> Iterator[Chunk]:
    """Chunks of about `rows` rows that together hold every key once, each cut into `parts` where that is possible."""
    group: list[Chunk] = []
    for fine in _fine(primary, max(1, rows // parts)):
        if group and (
            len(group) == parts or sum(chunk.rows for chunk in group) + fine.rows > rows or not _alike(group[0], fine)
        ):
            yield _joined(group)
            group = []
        group.append(fine)
    if group:
        yield _joined(group)


def _alike(*chunks: Chunk) -> bool:
    """Whether each has both bounds, and all of them are of as many columns."""
    widths = {bound and len(bound) for chunk in chunks if chunk.part for bound in (chunk.part.after, chunk.part.upto)}
    return len(widths) == 1 and None not in widths


def _joined(group: list[Chunk]) -> Chunk:
    """Chunks that follow each other as one."""
    if len(group) == 1:
        return group[0]
    parts = [chunk.part for chunk in group if chunk.part]
    cuts = tuple(part.upto for part in parts[:-1] if part.upto)
    whole = Slice(after=parts[0].after, upto=parts[-1].upto, cuts=cuts)
    return Chunk(table=group[0].table, part=whole, rows=sum(chunk.rows for chunk in group))


def _fine(primary: TableStatements, rows: int) -> Iterator[Chunk]:
    """Chunks of about `rows` rows that together hold every possible key once.

    The newest rows, behind the last bound of the statistics, are cut by walking the index: statistics know nothing of
    what was written since they were gathered.
    """
    table = primary.table
    if not table.ordered:
        yield Chunk(table=table.title, part=None, rows=primary.relation.estimated_rows)
        return
    after = None
    for bound, expected in _bounds(primary, rows):
        if expected > rows * 2:
            for part in chunks.by_key(primary, rows, after, (bound,)):
                yield Chunk(table=table.title, part=part, rows=rows)
        else:
            yield Chunk(table=table.title, part=Slice(after=after, upto=(bound,)), rows=expected)
        after = (bound,)
    for part in chunks.by_key(primary, rows, after):
        yield Chunk(table=table.title, part=part, rows=rows)


def _bounds(primary: TableStatements, rows: int) -> Iterator[tuple[str, int]]:
    """Upper bounds of the key's first column, each with the number of rows since the one before."""
    relation, first = primary.relation, primary.table.key[0].on(primary.side)
    found = primary.session.rows(_HISTOGRAM, (relation.schema, relation.name, first.name, relation.partitioned))
    if not found:
        return
    standing, most_common, bounds = found[0]
    if len(bounds) < 2 or most_common * standing > rows:  # a key's first column alone would not cut it
        return
    a_bucket = max(1, standing // (len(bounds) - 1))
    if a_bucket <= rows:
        step = max(1, rows // a_bucket)
        for bound in bounds[step::step]:
            yield bound, a_bucket * step
        return
    parts = -(-a_bucket // rows)
    for low, high in pairwise(bounds):
        between = _between(first.kind, low, high, parts)
        for bound in between:
            yield bound, a_bucket // parts
        yield high, a_bucket // parts if between else a_bucket


def _between(kind: str, low: str, high: str, parts: int) -> list[str]:
    """Evenly spaced values between two bounds; none where values of the kind cannot be counted."""
    if kind in _WHOLE:
        first, last = int(low), int(high)
        return [str(first + (last - first) * n // parts) for n in range(1, parts)]
    if kind == "uuid":
        first, last = UUID(low).int, UUID(high).int
        return [str(UUID(int=first + (last - first) * n // parts)) for n in range(1, parts)]
    return []
