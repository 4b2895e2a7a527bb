"""A script that would make one side like the other, for a person to read and to run. Nothing here runs it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from enum import Enum

from psycopg import sql

from crossfade.model.seen import Difference
from crossfade.model.terms import Side
from crossfade.verify.examination import Examination
from crossfade.verify.hashing import name
from crossfade.verify.outcome import Finding
from crossfade.verify.relation import ColumnPair, TablePair
from crossfade.verify.session import TEXT_SETTINGS, Session
from crossfade.verify.settings import VerifySettings
from crossfade.verify.statement import Key, RowState, TableStatements

_HEAD = """\
-- Makes the {wrong} like the {right}, for {count} rows that differed when they were compared.
-- Run it on the {wrong} while nobody writes there and replication to it stands still; then verify again.
-- A row that is no longer as it was found is left alone: its statement then tells 0 rows.
-- It holds the values of these rows: keep it as you keep the data.
-- Where triggers or foreign keys stand in the way, a superuser may first say
--   SET session_replication_role = replica;
BEGIN;
{settings}
SET LOCAL standard_conforming_strings = on;
"""


class _Step(Enum):
    """In this order: a row that is too many may hold a value that a unique index wants elsewhere."""

    DELETE = 1
    UPDATE = 2
    INSERT = 3


def script(settings: VerifySettings, examined: Examination) -> Iterator[str]:
    """The script, a statement at a time; values are read anew, row by row, so that none is cut short.

    A row that is alike by now is left out. Raises what sessions raise.
    """
    right, wrong = examined.primary, examined.primary.other
    tables = {table.title: table for table in examined.tables}
    local = TEXT_SETTINGS.replace("SET ", "SET LOCAL ").strip()
    yield _HEAD.format(right=right, wrong=wrong, count=len(examined.findings), settings=local)
    with ExitStack() as stack:
        dsns = {Side.SOURCE: settings.source, Side.TARGET: settings.target}
        sessions = {
            side: stack.enter_context(Session(side, dsn, statement_timeout=settings.statement_timeout))
            for side, dsn in dsns.items()
        }
        repairs = {
            title: _Repair(table, sessions[right], sessions[wrong], strict=settings.strict)
            for title, table in tables.items()
        }
        for step in _Step:
            for finding in examined.findings:
                if _step(finding.difference, wrong) is step:
                    yield from repairs[finding.difference.table].statements(finding)
    yield "COMMIT;\n"


def _step(difference: Difference, wrong: Side) -> _Step:
    if difference.kind == "changed":
        return _Step.UPDATE
    lacks = Side.TARGET if difference.kind == "missing" else Side.SOURCE
    return _Step.INSERT if lacks is wrong else _Step.DELETE


class _Repair:
    """The statements for rows of one table."""

    def __init__(self, table: TablePair, right: Session, wrong: Session, *, strict: bool) -> None:
        self._table, self._side = table, wrong.side
        relation = table.on(self._side)
        self._name = f"{_identifier(relation.schema)}.{_identifier(relation.name)}"
        self._right, self._wrong = (TableStatements(session, table, strict=strict) for session in (right, wrong))

    def statements(self, finding: Finding) -> Iterator[str]:
        here, there = self._rows(self._right, finding.key), self._rows(self._wrong, finding.key)
        if here == there:
            return
        if len(here) > len(there):
            yield from (self._insert(values) for values in self._beyond(here, there))
        elif len(here) < len(there):
            yield self._delete(finding.key, len(there) - len(here))
        elif len(here) == 1:
            yield self._update(finding.key, here[0], there[0])
        else:
            yield _comment(f"{finding.difference.table} {finding.difference.key}: several rows differ; not repaired")

    def _rows(self, of: TableStatements, key: Key) -> list[tuple[str | None, ...]]:
        side = of.side
        texts = [sql.SQL("{}::text").format(name(pair.on(side).name)) for pair in self._table.columns]
        states: Sequence[RowState] = of.lookup([key], texts).get(key, ())
        return [state.values for state in states]

    def _beyond(
        self, here: list[tuple[str | None, ...]], there: list[tuple[str | None, ...]]
    ) -> list[tuple[str | None, ...]]:
        left = list(here)
        for values in there:
            if values in left:
                left.remove(values)
        return left[: len(here) - len(there)]

    def _insert(self, values: tuple[str | None, ...]) -> str:
        told = [
            (self._column(pair), _literal(value))
            for pair, value in zip(self._table.columns, values, strict=True)
            if not pair.on(self._side).generated
        ]
        columns, texts = (", ".join(each) for each in zip(*told, strict=True))
        conflict = " ON CONFLICT DO NOTHING" if self._table.key else ""
        return f"INSERT INTO {self._name} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({texts}){conflict};\n"  # noqa: S608 - not run here, and each part is quoted

    def _delete(self, key: Key, count: int) -> str:
        found = f"SELECT ctid FROM {self._name} AS t WHERE {self._where(key)} LIMIT {count}"  # noqa: S608 - not run here, and each part is quoted
        return f"DELETE FROM {self._name} WHERE ctid = ANY (ARRAY({found}));\n"  # noqa: S608 - not run here, and each part is quoted

    def _update(self, key: Key, right: tuple[str | None, ...], wrong: tuple[str | None, ...]) -> str:
        pairs = [
            (self._column(pair), _literal(new), _literal(old))
            for pair, new, old in zip(self._table.columns, right, wrong, strict=True)
            if new != old and not pair.on(self._side).generated
        ]
        if not pairs:
            return _comment(f"{self._name} {self._where(key)}: only what the server computes differs")
        new_values = ", ".join(f"{column} = {new}" for column, new, _ in pairs)
        as_found = " AND ".join(f"{column}::text IS NOT DISTINCT FROM {old}" for column, _, old in pairs)
        return f"UPDATE {self._name} SET {new_values} WHERE {self._where(key)} AND {as_found};\n"  # noqa: S608 - not run here, and each part is quoted

    def _where(self, key: Key) -> str:
        if self._table.key:
            told = zip(self._table.key, key, strict=True)
            return " AND ".join(f"{self._column(pair)} = {_literal(text)}" for pair, text in told)
        hashed = self._wrong.row_hash.as_string(None).replace("%%", "%")  # doubled for statements with parameters
        return f"{hashed} = {int(key[0])}"

    def _column(self, pair: ColumnPair) -> str:
        return _identifier(pair.on(self._side).name)


def _comment(text: str) -> str:
    """One line, whatever line breaks a name or a key may hold: what follows them would be run."""
    return f"-- {' '.join(text.split())}\n"


def _identifier(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
