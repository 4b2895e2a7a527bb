"""The statements of a verification for one side, built once for each table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from psycopg import sql

from crossfade.model.terms import Side
from crossfade.verify.hashing import catalog_type, column_hash, filter_condition, name, relation_name, row_hash
from crossfade.verify.relation import ColumnPair, TablePair
from crossfade.verify.session import Session

Key = tuple[str, ...]  # the key's columns as text, in canonical form


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a table: keys above `after` up to `upto` (None: open end), and of those only the rows whose key's
    hash modulo `modulus`, a power of two, is one of `residues`. A bound may be of the key's first columns alone; it
    then stands for all keys that begin so. `cuts` are keys at which it falls into smaller ones, in their order; there
    are some only where both bounds are given, and each has as many columns as they.
    """

    after: Key | None = None
    upto: Key | None = None
    modulus: int = 1
    residues: tuple[int, ...] = ()
    cuts: tuple[Key, ...] = ()

    @property
    def bounds(self) -> tuple[Key | None, ...]:
        """Where its parts begin and end."""
        return (self.after, *self.cuts, self.upto)

    def parts(self) -> tuple["Slice", ...]:
        """What it falls into; itself where it has no cuts."""
        return tuple(
            Slice(after=after, upto=upto, modulus=self.modulus, residues=self.residues)
            for after, upto in pairwise(self.bounds)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Number of rows and the sum of their hashes: equal for equal multisets of rows."""

    rows: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowState:
    """What a row was at a moment: `signature` stands for its values, `version` is its xmin.

    `values` are what was asked to be told of each column; two states are equal whatever they are.
    """

    signature: str
    version: str
    values: tuple[str | None, ...] = field(default=(), compare=False)


# a key has one row; several where the other side has no unique index, or for tables without a key
Rows = dict[Key, tuple[RowState, ...]]

Told = Mapping[Side, Sequence[sql.Composable]]  # texts, one for each column, that tell values of rows that differ
NOTHING_TOLD: Told = {}


class TableStatements:
    """Reads one table of one side. Both sides' objects give comparable digests, keys and signatures."""

    def __init__(self, session: Session, table: TablePair, *, strict: bool = False) -> None:
        self.session, self.table, self.side = session, table, session.side
        self._hashes = [
            column_hash(pair, number, self.side, strict=strict) for number, pair in enumerate(table.columns)
        ]
        self.row_hash = row_hash(list(self._hashes))
        numbers = {pair.name: number for number, pair in enumerate(table.columns)}
        self._key_hash = row_hash([self._hashes[numbers[k.name]] for k in table.key]) if table.key else self.row_hash
        relation = table.on(self.side)
        # children of plain inheritance are tables of their own; partitions are reached through the parent
        only = sql.SQL("") if relation.partitioned else sql.SQL("ONLY ")
        self._from = only + relation_name(relation.schema, relation.name) + sql.SQL(" AS t")
        self._key_texts = _key_texts(table.key, self.side) if table.key else [self.row_hash + sql.SQL("::text")]
        condition = table.rule.condition(self.side)
        self._filter = [filter_condition(condition)] if condition else []
        self._key_names = [name(k.on(self.side).name) for k in table.key]
        self.relation = relation
        self._key_types = [catalog_type(k.on(self.side).type_name) for k in table.key]

    def bound(self, after: Key | None, upto: Key | None, rows: int) -> Key | None:
        """The key of the `rows`-th row behind `after`, walking the index; None when there are fewer up to `upto`."""
        where, parameters = self._where(Slice(after=after, upto=upto))
        # by t.id, because plain id would be the output column of that name, which is text
        order = sql.SQL(", ").join(sql.SQL("t.{}").format(key_name) for key_name in self._key_names)
        statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} OFFSET {} LIMIT 1").format(
            sql.SQL(", ").join(self._key_texts), self._from, where, order, sql.Literal(rows - 1)
        )
        found = self.session.rows(statement, parameters, in_order=True)
        return tuple(found[0]) if found else None

    def digest(self, part: Slice) -> Digest:
        where, parameters = self._where(part)
        statement = sql.SQL("SELECT count(*), coalesce(sum({}), 0) FROM {} WHERE {}").format(
            self.row_hash, self._from, where
        )
        rows, total = self.session.row(statement, parameters)
        return Digest(rows=rows, total=int(total))

    def digests_of_parts(self, whole: Slice) -> list[Digest]:
        """The digest of each part of the slice, read by one statement that is planned once."""
        parts = whole.parts()
        if len(parts) == 1:
            return [self.digest(whole)]
        width = len(whole.cuts[0])
        bounds = [(f"low_{n}", "after", n) for n in range(width)] + [(f"high_{n}", "upto", n) for n in range(width)]
        arrays = [sql.SQL("unnest(%s::text[]::{}[])").format(t) for t in self._key_types[:width] * 2]
        parameters = [[getattr(part, end)[n] for part in parts] for _, end, n in bounds]
        inner = Slice(modulus=whole.modulus, residues=whole.residues)
        where, more = self._where(inner)
        lows, highs = ([sql.Identifier("b", f"{end}_{n}") for n in range(width)] for end in ("low", "high"))
        statement = sql.SQL(
            "SELECT d.rows, d.total FROM ROWS FROM ({}) WITH ORDINALITY AS b ({}, place),"
            " LATERAL (SELECT count(*), coalesce(sum({}), 0) FROM {} WHERE {} AND {} AND {}) AS d (rows, total)"
            " ORDER BY b.place"
        ).format(
            sql.SQL(", ").join(arrays),
            sql.SQL(", ").join(sql.Identifier(label) for label, _, _ in bounds),
            self.row_hash,
            self._from,
            where,
            self._beyond(">", lows),
            self._beyond("<=", highs),
        )
        return [Digest(rows=rows, total=int(total)) for rows, total in self.session.rows(statement, parameters + more)]

    def digests(self, part: Slice, modulus: int) -> dict[int, Digest]:
        """The slice's digest for each residue of the key's hash, in one scan; empty residues are left out."""
        where, parameters = self._where(part)
        bucket, total, source = self._key_hash, self.row_hash, self._from + sql.SQL(" WHERE ") + where
        if not self.table.key:  # one hash for both uses: OFFSET keeps the inner statement whole, which computes it once
            source = sql.SQL("(SELECT {} AS h FROM {} OFFSET 0) AS hashed").format(total, source)
            bucket = total = sql.Identifier("h")
        statement = sql.SQL("SELECT {} & {}, count(*), sum({}) FROM {} GROUP BY 1").format(
            bucket, sql.Literal(modulus - 1), total, source
        )
        found = self.session.rows(statement, parameters)
        return {residue: Digest(rows=rows, total=int(total)) for residue, rows, total in found}

    def listing(self, part: Slice) -> Rows:
        """Every row of the slice by its key, with one hash as its signature."""
        where, parameters = self._where(part)
        return self._rows(self.row_hash + sql.SQL("::text"), where, parameters)

    def lookup(self, keys: Sequence[Key], told: Sequence[sql.Composable] = ()) -> Rows:
        """The rows of `keys`, as many as there are, with the hash of every column as their signature.

        `told` are texts, one for each column, that become their values.
        """
        vector = sql.SQL("ARRAY[{}]::int8[]::text").format(sql.SQL(", ").join(self._hashes))
        columns = [list(values) for values in zip(*keys, strict=True)]
        if not self.table.key:
            where = sql.SQL("{} = ANY (%s::text[]::int8[])").format(self.row_hash)
            return self._rows(vector, sql.SQL(" AND ").join([where, *self._filter]), columns, told)
        wanted = sql.SQL(", ").join(
            sql.SQL("unnest(%s::text[]::{}[])").format(type_name) for type_name in self._key_types
        )
        where = sql.SQL("({}) IN (SELECT {})").format(sql.SQL(", ").join(self._key_names), wanted)
        return self._rows(vector, sql.SQL(" AND ").join([where, *self._filter]), columns, told)

    def _rows(
        self,
        signature: sql.Composable,
        where: sql.Composable,
        parameters: Sequence[object],
        told: Sequence[sql.Composable] = (),
    ) -> Rows:
        selected = sql.SQL(", ").join([*self._key_texts, signature, sql.SQL("xmin::text"), *told])
        statement = sql.SQL("SELECT {} FROM {} WHERE {}").format(selected, self._from, where)
        width = len(self._key_texts)
        found: dict[Key, list[RowState]] = {}
        for row in self.session.rows(statement, parameters):
            signed, version, *values = row[width:]
            state = RowState(signature=signed, version=version, values=tuple(values))
            found.setdefault(tuple(row[:width]), []).append(state)
        return {key: tuple(sorted(states, key=_by_signature)) for key, states in found.items()}

    def _where(self, part: Slice) -> tuple[sql.Composable, list[object]]:
        conditions: list[sql.Composable] = [sql.SQL("true"), *self._filter]
        parameters: list[object] = []
        bounds: tuple[tuple[Literal[">", "<="], Key | None], ...] = ((">", part.after), ("<=", part.upto))
        for operator, bound in bounds:
            if bound is not None:
                values = [sql.SQL("%s::{}").format(type_name) for type_name in self._key_types[: len(bound)]]
                conditions.append(self._beyond(operator, values))
                parameters += bound
        if part.residues:
            conditions.append(
                sql.SQL("({} & {}) = ANY (%s::int8[])").format(self._key_hash, sql.Literal(part.modulus - 1))
            )
            parameters.append(list(part.residues))
        return sql.SQL(" AND ").join(conditions), parameters

    def _beyond(self, operator: Literal[">", "<="], values: Sequence[sql.Composable]) -> sql.Composable:
        names = sql.SQL(", ").join(self._key_names[: len(values)])
        return sql.SQL("({}) {} ({})").format(names, sql.SQL(operator), sql.SQL(", ").join(values))


def key_as_json(table: TablePair, key: Key) -> str:
    """The key as JSON text; of a table without one, the hash of the row (its values are not to be shown)."""
    if not table.key:
        return json.dumps({"row_hash": int(key[0])})
    shown: dict[str, Any] = {}
    for pair, text in zip(table.key, key, strict=True):
        whole = pair.source.kind in {"int2", "int4", "int8"}
        shown[pair.name] = int(text) if whole else text
    return json.dumps(shown, ensure_ascii=False)


def changed_columns(table: TablePair, here: Iterable[RowState], there: Iterable[RowState]) -> tuple[str, ...]:
    """Names of the columns whose hashes differ; the states come from `lookup`."""
    left, right = ([_vector(state) for state in states] for states in (here, there))
    if len(left) != 1 or len(right) != 1:
        return ()
    return tuple(pair.name for pair, a, b in zip(table.columns, left[0], right[0], strict=True) if a != b)


def _vector(state: RowState) -> list[str]:
    return state.signature.strip("{}").split(",")


def _by_signature(state: RowState) -> str:
    return state.signature


def _key_texts(key: tuple[ColumnPair, ...], side: Side) -> list[sql.Composable]:
    texts: list[sql.Composable] = []
    for pair in key:
        column = pair.on(side)
        form = "trim_scale({})::text" if column.kind == "numeric" else "{}::text"  # 1.10 and 1.1 are one key
        texts.append(sql.SQL(form).format(name(column.name)))
    return texts
