"""What is told of a row's values, as SQL: a mask made by the server, or the beginning of the text."""

from psycopg import sql

from crossfade.model.terms import Side
from crossfade.verify.hashing import name
from crossfade.verify.relation import TablePair
from crossfade.verify.settings import Values

_SHOWN_CHARACTERS = 200
_MASK_DIGITS = 16


def told(values: Values, table: TablePair, side: Side, *, mask_key: bytes) -> tuple[sql.Composable, ...]:
    """One text for each column of the table; none when nothing is to be told.

    A mask is `sha256(key || sha256(key || text))`, 64 bits of it: equal values have equal masks in one run, and nobody
    without the key can try out values. NULL stays NULL, since that a value is absent is what most differences are.
    Source: RFC 2104, for why the hash is taken twice.
    """
    columns = [name(column.on(side).name) for column in table.columns]
    if values is Values.SHOWN:
        shown = sql.SQL("CASE WHEN length({v}::text) > {n} THEN left({v}::text, {n}) || '…' ELSE {v}::text END")
        return tuple(shown.format(v=column, n=sql.Literal(_SHOWN_CHARACTERS)) for column in columns)
    if values is Values.MASKED:
        mask = sql.SQL(
            "left(encode(sha256({k}::bytea || sha256({k}::bytea || convert_to({v}::text, 'UTF8'))), 'hex'), {n})"
        )
        key = sql.Literal("\\x" + mask_key.hex())
        return tuple(mask.format(k=key, v=column, n=sql.Literal(_MASK_DIGITS)) for column in columns)
    return ()
