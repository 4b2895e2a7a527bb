"""Expressions are tried on the server before anything is changed: on a temporary table with the same columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.errors import StatementRefused
from crossfade.expand.session import Session
from crossfade.expand.two_way import Made

SAMPLE_ROWS = 1000
_PROBE = sql.Identifier("pg_temp", "crossfade_probe")
_IMMUTABLE = "Write one expression of the row's columns alone: no time, no setting, no other row goes into its value."
Reason = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Probe:
    """Each method gives the reasons why what it is asked about does not do."""

    session: Session
    table: Table

    def adds(self, columns: tuple[Made, ...]) -> Iterator[Reason]:
        """The new columns, so that expressions may name them."""
        for each in columns:
            add = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                _PROBE, sql.Identifier(each.name), sql.SQL(each.type)
            )
            yield from self._tried(add, f"{each.name} {each.type}", "Write a type that the server knows.")

    def value(self, made: Made) -> Iterator[Reason]:
        """One expression, of one column, immutable, that can be cast to the column's type."""
        yield from self._one(made.by, made.cast, made.type, f"the expression of {made.name}")

    def rule(self, rule: str) -> Iterator[Reason]:
        """One immutable condition."""
        yield from self._one(rule, sql.SQL("({}\n)").format(sql.SQL(rule)), "boolean", "the condition")

    def computes(self, made: tuple[Made, ...]) -> Iterator[Reason]:
        """The first rows of the table, computed: casts that fail on what is there. Only for what `value` let pass."""
        values = sql.SQL(", ").join(each.cast for each in made)
        some = sql.SQL("SELECT count(ROW({})) FROM (SELECT * FROM {} LIMIT {}) AS r").format(
            values, self.table.identifier, sql.Literal(SAMPLE_ROWS)
        )
        what = f"computing {', '.join(each.name for each in made)} from the first {SAMPLE_ROWS} rows"
        yield from self._tried(some, what, "Write an expression that has a value for every row, by CASE for instance.")

    def _one(self, text: str, cast: sql.Composable, kind: str, what: str) -> Iterator[Reason]:
        # the protocol takes one statement, one column means one expression, and a generated column may not depend on
        # anything but the row: what passes all three is one immutable expression
        self.session.rows(sql.SQL("SAVEPOINT tried"))
        try:
            alone = self.session.prepared(sql.SQL("SELECT ({}\n) FROM {}").format(sql.SQL(text), _PROBE)) == 1
        except StatementRefused as refusal:
            self.session.rows(sql.SQL("ROLLBACK TO SAVEPOINT tried"))
            yield f"{what} is refused: {refusal.why}", "Name columns as they stand in the table."
            return
        if not alone:
            yield f"{what} is not one expression", _IMMUTABLE
            return
        generated = sql.SQL(
            "ALTER TABLE {} ADD COLUMN crossfade_generated {} GENERATED ALWAYS AS ({}\n) STORED"
        ).format(_PROBE, sql.SQL(kind), cast)
        yield from self._tried(generated, what, _IMMUTABLE, undone=True)

    def _tried(self, statement: sql.Composable, what: str, remedy: str, *, undone: bool = False) -> Iterator[Reason]:
        refused = None
        self.session.rows(sql.SQL("SAVEPOINT tried"))
        try:
            self.session.rows(statement)
        except StatementRefused as refusal:
            refused = refusal
        if refused is not None or undone:
            self.session.rows(sql.SQL("ROLLBACK TO SAVEPOINT tried"))
        if refused is not None:
            yield f"{what} is refused: {refused.why}", remedy


@contextmanager
def probe(session: Session, table: Table) -> Iterator[Probe]:
    """A temporary table like `table`, gone at the end; nothing else is touched."""
    session.rows(sql.SQL("BEGIN"))
    try:
        session.rows(sql.SQL("CREATE TEMPORARY TABLE crossfade_probe (LIKE {})").format(table.identifier))
        yield Probe(session, table)
    finally:
        session.rows(sql.SQL("ROLLBACK"))
