"""The ledger's database: roles, schema and a history of any size."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from crossfade.model.errors import CrossfadeError

DATABASE = "ledger"
_HERE = Path(__file__).resolve().parent
_FEWEST_ROWS = 2_000  # enough accounts for the history's pattern to find two different ones
_ROLES = """
DO $$ BEGIN
    IF to_regrole('ledger_owner') IS NULL THEN CREATE ROLE ledger_owner NOLOGIN; END IF;
    IF to_regrole('ledger_app') IS NULL THEN CREATE ROLE ledger_app LOGIN; END IF;
    IF to_regrole('ledger_shadow') IS NULL THEN CREATE ROLE ledger_shadow LOGIN; END IF;
    IF to_regrole('crossfade') IS NULL THEN CREATE ROLE crossfade LOGIN SUPERUSER REPLICATION; END IF;
END $$
"""


_REMEDIES = {"53100": "The disk is full: make room, then go on."}


class LedgerNotCreated(CrossfadeError):
    """The database server refused the ledger's schema or its rows."""

    def __init__(self, step: str, sqlstate: str | None) -> None:
        self.step, self.sqlstate = step, sqlstate
        self.remedy = _REMEDIES.get(sqlstate or "", "Look into the database server's log in the run's folder.")
        super().__init__(f"the ledger's {step} could not be made (SQLSTATE {sqlstate or 'none: no connection'})")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSize:
    """How many rows of each kind. `accounts` counts the clearing account, whose id is 1; users' accounts start at 2."""

    customers: int
    accounts: int
    transfers: int
    statements: int

    @classmethod
    def of_rows(cls, rows: int, statements: int | None = None) -> "LedgerSize":
        """About `rows` rows in all tables together (at least 2,000): two thirds are entries.

        One in fifty is a statement, unless their number is given; there is at most one for each transfer.
        """
        rows = max(rows, _FEWEST_ROWS)
        accounts, customers, usual = rows // 25, rows // 50, rows // 50
        transfers = (rows - accounts - customers - usual) // 3
        statements = usual if statements is None else min(statements, transfers)
        return cls(customers=customers, accounts=accounts, transfers=transfers, statements=statements)

    @property
    def rows(self) -> int:
        return self.customers + self.accounts + 3 * self.transfers + self.statements


def create_database(dsn: str, *, name: str = DATABASE) -> str:
    """An empty database and the cluster's roles; returns the superuser's DSN of that database.

    `dsn` is a superuser's, of any database of the cluster. Roles that exist are left as they are.
    Raises LedgerNotCreated, also when the database exists already.
    """
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(_ROLES)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as exc:
        raise LedgerNotCreated("database", exc.sqlstate) from exc
    return make_conninfo(dsn, dbname=name)


def drop_database(dsn: str, *, name: str = DATABASE) -> None:
    """There is no database of that name. `dsn` is a superuser's, of another database. Raises LedgerNotCreated."""
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    except psycopg.Error as exc:
        raise LedgerNotCreated("place", exc.sqlstate) from exc


def create_ledger(dsn: str, rows: int, *, name: str = DATABASE, statements: int | None = None) -> LedgerSize:
    """Make the database with roles, schema, grants, and `rows` rows of history: balanced, and the same each time.

    `statements` as in `LedgerSize.of_rows`.

    100,000 rows take about a second. Statistics are fresh and every row visible afterwards (VACUUM ANALYZE).
    Raises LedgerNotCreated.
    """
    size = LedgerSize.of_rows(rows, statements)
    step = "schema"
    try:
        with psycopg.connect(create_database(dsn, name=name), autocommit=True) as connection:
            _run_file(connection, "schema.sql")
            step = "history"
            for field in ("customers", "accounts", "transfers", "statements"):
                connection.execute("SELECT set_config(%s, %s, false)", (f"ledger.{field}", str(getattr(size, field))))
            _run_file(connection, "rows.sql")
            step = "statistics"
            connection.execute("VACUUM (ANALYZE)")
    except psycopg.Error as exc:
        raise LedgerNotCreated(step, exc.sqlstate) from exc
    return size


def _run_file(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    script = (_HERE / name).read_text(encoding="utf-8")
    connection.execute(script.encode())  # without parameters, a file goes as one batch
