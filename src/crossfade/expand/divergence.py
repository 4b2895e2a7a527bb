"""Rows whose old and new shape do not agree, and orphans: looked for along the key, a short statement at a time."""

from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.backfill import keyed, next_key
from crossfade.expand.session import Session
from crossfade.expand.shape import Shape

_CHUNK_ROWS = 20_000
_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """`rows` looked at and `diverging` of them; `keys` of the first ones, as texts by column."""

    rows: int
    diverging: int
    keys: tuple[dict[str, str], ...]


def diverging(session: Session, shape: Shape) -> Divergence:
    """Every row is looked at once. A table without a key is looked at in one statement, and names no rows."""
    if shape.diverging is None:
        return Divergence(rows=0, diverging=0, keys=())
    table = shape.table
    if not table.key:
        count = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {}").format(shape.diverging, table.identifier)
        rows, found = session.rows(count)[0]
        return Divergence(rows=rows, diverging=found, keys=())
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.key)
    after, rows, found = None, 0, 0
    keys: list[dict[str, str]] = []
    while (place := next_key(session, shape, after, _CHUNK_ROWS)) is not None:
        within = keyed(shape, after, place.key)
        asked = sql.SQL("SELECT count(*) OVER (), {} FROM {} WHERE {} AND {} LIMIT {}").format(
            texts, table.identifier, within, shape.diverging, sql.Literal(_NAMED)
        )
        some = session.rows(asked)
        found += some[0][0] if some else 0
        keys += [dict(zip(table.key, row[1:], strict=True)) for row in some[: _NAMED - len(keys)]]
        rows += place.rows
        after = place.key
    return Divergence(rows=rows, diverging=found, keys=tuple(keys))
