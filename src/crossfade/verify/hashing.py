"""A 64-bit hash of a row that is the same on every PostgreSQL server from 13 on, as SQL.

Each column is hashed by its type, the hashes are joined by exclusive or, and a finalizer makes sums over rows notice
a swap of values between two rows. Typed hashes equate what the type calls equal: 1.10 and 1.1, -0 and 0, and jsonb
2.0 and 2; they also equate jsonb documents that differ only in how arrays are nested ([[1],2] and [[1,2]]).
`strict` hashes the text of every value instead.

Source: docs/verification.md, 'The hash', with the collisions that this avoids.
"""

from typing import Any

from psycopg import sql

from crossfade.model.terms import Side
from crossfade.verify.relation import Column, ColumnPair

_MASK = (1 << 64) - 1

# v is the value, s the seed. Kinds not named here or below are hashed by their text.
_BY_KIND = {
    "int2": sql.SQL("hashint4extended({v}::int4, {s})"),
    "int4": sql.SQL("hashint4extended({v}::int4, {s})"),
    "bool": sql.SQL("hashint4extended({v}::int4, {s})"),
    "char": sql.SQL("hashint4extended({v}::int4, {s})"),  # bytes above 127 have another text from 16 on
    "float4": sql.SQL("hashfloat8extended({v}::float8, {s})"),
    "float8": sql.SQL("hashfloat8extended({v}::float8, {s})"),
    "uuid": sql.SQL("uuid_hash_extended({v}, {s})"),
    "jsonb": sql.SQL("jsonb_hash_extended({v}, {s})"),
    # no hash function of date or bytea can be called from SQL on 13; days as float8 are exact
    "date": sql.SQL("hashfloat8extended(daterange_subdiff({v}, '2000-01-01'), {s})"),
    "bytea": sql.SQL("hash_array_extended(ARRAY[{v}], {s})"),
    # time_hash_extended folds to 32 bits; seconds as float8 are exact within a day
    "time": sql.SQL("hashfloat8extended(date_part('epoch', {v}), {s})"),
}
# seconds between two stamps as float8; date_part takes five times as long, most of it to understand the word 'epoch'
_SECONDS = {"timestamp": sql.SQL("tsrange_subdiff"), "timestamptz": sql.SQL("tstzrange_subdiff")}
# arrays whose elements hash without folding 64 bits into 32 and without regard to collation or special values
_EXACT_ARRAYS = frozenset({"_int2", "_int4", "_bool", "_float4", "_float8", "_uuid", "_date", "_bytea"})
_TEXT_ARRAYS = frozenset({"_text", "_varchar"})


def name(identifier: str) -> sql.Identifier:
    """A quoted identifier; a percent sign is doubled because statements always carry parameters."""
    return sql.Identifier(identifier.replace("%", "%%"))


def relation_name(schema: str, table: str) -> sql.Identifier:
    return sql.Identifier(schema.replace("%", "%%"), table.replace("%", "%%"))


def catalog_type(type_name: str) -> sql.Composable:
    """A type as the catalog writes it (format_type), already quoted by the server where it must be."""
    quoted: Any = type_name.replace("%", "%%")  # not a literal string, but made by the server for this very use
    return sql.SQL(quoted)


def filter_condition(condition: str) -> sql.Composable:
    """A condition that a person wrote; the line break ends a comment at its end."""
    quoted: Any = condition.replace("%", "%%")  # not a literal string: it is that person's own SQL, read-only
    return sql.SQL("({}\n)").format(sql.SQL(quoted))


def row_hash(columns: list[sql.Composable]) -> sql.Composable:
    """Hashes of columns as one hash of their row."""
    joined = sql.SQL(" # ").join(columns) if columns else sql.SQL("0::int8")
    return sql.SQL("hashint4extended(99, {})").format(joined)


def column_hash(pair: ColumnPair, number: int, side: Side, *, strict: bool = False) -> sql.Composable:
    """The hash of a column that is `number` in the list of both sides.

    NULL has a value of its own, apart from that of any empty value.
    """
    column = pair.on(side)
    typed = not strict and pair.same_type
    value = _typed(column, number) if typed else _text(name(column.name), number)
    if not pair.nullable:
        return value
    return sql.SQL("coalesce({}, {})").format(value, _seed(number, 3))


def _typed(column: Column, number: int) -> sql.Composable:
    value: sql.Composable = name(column.name)
    kind = column.kind
    if kind in _BY_KIND:
        return _BY_KIND[kind].format(v=value, s=_seed(number))
    if kind == "int8":  # as the seed: all 64 bits count; hashint8extended folds them to 32
        return sql.SQL("hashint4extended({}, {})").format(_seed(number, bits=31), value)
    if kind == "numeric":
        return _numeric(column, number)
    if kind in _SECONDS:
        return _stamp(value, number, _SECONDS[kind])
    if kind in _EXACT_ARRAYS:
        return _array(value, number)
    if kind in _TEXT_ARRAYS:
        return _array(sql.SQL('({}::text[] COLLATE "C")').format(value), number)
    return _text(value, number)


def _text(value: sql.Composable, number: int, use: int = 0) -> sql.Composable:
    # collation "C": by bytes, so that neither a nondeterministic collation nor a library's version has a say
    return sql.SQL('hashtextextended({}::text COLLATE "C", {})').format(value, _seed(number, use))


def _numeric(column: Column, number: int) -> sql.Composable:
    value = name(column.name)
    hashed = sql.SQL("hash_numeric_extended({}, {})").format(value, _seed(number))
    if column.has_typmod:  # of what has no digits it can hold NaN alone
        return hashed
    # the hash of NaN, Infinity and -Infinity is the seed itself; they are told apart by their text
    return sql.SQL("coalesce(nullif({}, {}), {})").format(hashed, _seed(number), _text(value, number, 1))


def _stamp(value: sql.Composable, number: int, seconds: sql.SQL) -> sql.Composable:
    # Seconds as float8 tell microseconds apart for 272 years before and after 2000. Far from it
    # timestamp_hash_extended, which folds to 32 bits but tells neighbours apart, is their seed.
    return sql.SQL(
        "hashfloat8extended({seconds}({v}, '2000-01-01'), CASE WHEN {v} < '1800-01-01' OR {v} > '2200-01-01'"
        " THEN timestamp_hash_extended({v}::timestamp, {b}) ELSE {a} END)"
    ).format(seconds=seconds, v=value, a=_seed(number), b=_seed(number, 1))


def _array(value: sql.Composable, number: int) -> sql.Composable:
    # the hash of an array leaves out its dimensions: {1,2,3,4} and {{1,2},{3,4}} would be equal
    return sql.SQL("(hash_array_extended({v}, {a}) # hashtextextended(coalesce(array_dims({v}), ''), {b}))").format(
        v=value, a=_seed(number), b=_seed(number, 1)
    )


def _seed(number: int, use: int = 0, bits: int = 63) -> sql.Literal:
    """A constant for each column and use. Source: SplitMix64 (Steele, Lea, Flood 2014), its output function."""
    z = ((number * 4 + use + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return sql.Literal((z ^ (z >> 31)) >> (64 - bits))
