"""One case for each kind of change: a table, the change, what both versions write, and when the two shapes agree."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.expand.conftest import Write, change

ROWS = 120
HALF = ROWS // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The old version writes rows up to HALF, the new one those above, so that one can tell what must stand there.

    `apart` counts rows whose shapes differ, in words of its own; `ended` those that are wrong after contract.
    """

    name: str
    table: str
    change: str
    old_statements: tuple[str, ...]
    new_statements: tuple[str, ...]
    apart: str
    ended: str

    @property
    def old(self) -> Write:
        return writes(self.old_statements, lambda number: number % HALF + 1)

    @property
    def new(self) -> Write:
        return writes(self.new_statements, lambda number: number % HALF + HALF + 1)


def writes(statements: tuple[str, ...], rows: Callable[[int], int]) -> Write:
    """Statements on row `id`, the one that `rows` names for the n-th round, and on rows `fresh`, new each time."""

    def write(connection: psycopg.Connection[Any], number: int) -> None:
        values = {"id": rows(number), "n": number, "fresh": fresh_row(rows(0), number)}
        for statement in statements:
            if "fresh" not in statement or number % 10 == 0:
                connection.execute(statement.encode(), values)

    return write


def fresh_row(writer: int, number: int) -> int:
    """The key that a writer's n-th round inserts."""
    return 10_000_000 * (1 + writer) + number


CUSTOMER = (
    "CREATE TABLE customer (id int PRIMARY KEY, mail text NOT NULL, name text, amount numeric(12,2), note text);"
    "INSERT INTO customer SELECT n, 'm' || n, 'Ann' || n || ' Lee', n + 0.25, NULL FROM generate_series(1, 120) n"
)
FRESH = "ON CONFLICT (id) DO UPDATE SET mail = 'again'"
CASES = (
    Case(
        name="add a column",
        table=CUSTOMER,
        change="{version: 1, name: shout, table: public.customer,"
        " add_column: {column: loud, type: text, up: upper(mail)}}",
        old_statements=(
            f"INSERT INTO customer (id, mail) VALUES (%(fresh)s, 'old') {FRESH}",
            "UPDATE customer SET mail = 'old' || %(n)s WHERE id = %(id)s",
        ),
        new_statements=(
            f"INSERT INTO customer (id, mail, loud) VALUES (%(fresh)s, 'new', 'N') {FRESH}",
            "UPDATE customer SET loud = 'N' || %(n)s WHERE id = %(id)s",
        ),
        apart="SELECT count(*) FROM customer WHERE loud IS NULL",
        ended="SELECT count(*) FROM customer WHERE loud IS NULL OR id > 60 AND loud NOT LIKE 'N%' AND id < 121",
    ),
    Case(
        name="rename",
        table=CUSTOMER,
        change="{version: 1, name: rename-mail, table: public.customer, rename_column: {column: mail, to: email}}",
        old_statements=(
            f"INSERT INTO customer (id, mail) VALUES (%(fresh)s, 'old') {FRESH}",
            "UPDATE customer SET mail = 'old' || %(n)s WHERE id = %(id)s",
        ),
        new_statements=(
            "INSERT INTO customer (id, email) VALUES (%(fresh)s, 'new') ON CONFLICT (id) DO UPDATE SET email = 'again'",
            "UPDATE customer SET email = 'new' || %(n)s WHERE id = %(id)s",
        ),
        apart="SELECT count(*) FROM customer WHERE mail IS DISTINCT FROM email",
        ended="SELECT count(*) FROM customer WHERE id <= 60 AND email NOT LIKE 'old%'"
        " OR id > 60 AND id < 121 AND email NOT LIKE 'new%' OR email IS NULL",
    ),
    Case(
        name="change the type",
        table=CUSTOMER,
        change="{version: 1, name: cents, table: public.customer, change_type: {column: amount, to: cents,"
        " type: bigint, up: (amount * 100)::bigint, down: cents / 100.0}}",
        old_statements=("UPDATE customer SET amount = %(n)s + 0.5 WHERE id = %(id)s",),
        new_statements=(
            f"INSERT INTO customer (id, mail, cents) VALUES (%(fresh)s, 'x', 7) {FRESH}",
            "UPDATE customer SET cents = %(n)s * 100 + 7 WHERE id = %(id)s",
        ),
        apart="SELECT count(*) FROM customer WHERE amount * 100 IS DISTINCT FROM cents",
        ended="SELECT count(*) FROM customer WHERE id <= 60 AND cents % 100 <> 50"
        " OR id > 60 AND id < 121 AND cents % 100 <> 7",
    ),
    Case(
        name="split",
        table=CUSTOMER,
        change="{version: 1, name: split-name, table: public.customer, split_column: {column: name, into: ["
        "{name: given, type: text, up: \"split_part(name, ' ', 1)\"},"
        "{name: family, type: varchar(30), up: \"split_part(name, ' ', 2)\"}],"
        " down: given || ' ' || family}}",
        old_statements=("UPDATE customer SET name = 'Old' || %(n)s || ' Lee' WHERE id = %(id)s",),
        new_statements=(
            f"INSERT INTO customer (id, mail, given, family) VALUES (%(fresh)s, 'x', 'New', 'Lee') {FRESH}",
            "UPDATE customer SET given = 'New' || %(n)s WHERE id = %(id)s",  # the family name must stay
        ),
        apart="SELECT count(*) FROM customer WHERE name IS DISTINCT FROM given || ' ' || family",
        ended="SELECT count(*) FROM customer WHERE mail <> 'old' AND (family <> 'Lee'"
        " OR id <= 60 AND given NOT LIKE 'Old%' OR id > 60 AND id < 121 AND given NOT LIKE 'New%')",
    ),
    Case(
        name="merge",
        table=CUSTOMER,
        change="{version: 1, name: merge-names, table: public.customer, merge_columns: {columns: ["
        "{name: mail, down: \"split_part(whole, '/', 1)\"},"
        "{name: note, down: \"nullif(split_part(whole, '/', 2), '')\"}],"
        " into: {name: whole, type: text, up: \"mail || '/' || coalesce(note, '')\"}}}",
        old_statements=("UPDATE customer SET note = 'old' || %(n)s WHERE id = %(id)s",),
        new_statements=(
            "INSERT INTO customer (id, whole) VALUES (%(fresh)s, 'a/b') ON CONFLICT (id) DO UPDATE SET whole = 'c/d'",
            "UPDATE customer SET whole = 'm' || %(id)s || '/new' || %(n)s WHERE id = %(id)s",
        ),
        apart="SELECT count(*) FROM customer WHERE whole IS DISTINCT FROM mail || '/' || coalesce(note, '')",
        ended="SELECT count(*) FROM customer WHERE id <= 60 AND whole NOT LIKE 'm' || id || '/old%'"
        " OR id > 60 AND id < 121 AND whole NOT LIKE 'm' || id || '/new%'",
    ),
    Case(
        name="not null",
        table=CUSTOMER,
        change="{version: 1, name: note-full, table: public.customer,"
        " not_null: {column: note, up: \"'none of ' || id\"}}",
        old_statements=(
            f"INSERT INTO customer (id, mail) VALUES (%(fresh)s, 'old') {FRESH}",
            "UPDATE customer SET note = NULL WHERE id = %(id)s",
        ),
        new_statements=("UPDATE customer SET note = 'new' || %(n)s WHERE id = %(id)s",),
        apart="SELECT count(*) FROM customer WHERE note IS NULL",
        ended="SELECT count(*) FROM customer WHERE id <= 60 AND note <> 'none of ' || id"
        " OR id > 60 AND id < 121 AND note NOT LIKE 'new%' OR NOT (SELECT attnotnull FROM pg_attribute"
        " WHERE attrelid = 'customer'::regclass AND attname = 'note')",
    ),
    Case(
        name="extract a table",
        table=CUSTOMER,
        change="{version: 1, name: contact, table: public.customer,"
        " extract_table: {to: contact, columns: [name, note]}}",
        old_statements=(
            f"INSERT INTO customer (id, mail, name) VALUES (%(fresh)s, 'old', 'Old') {FRESH}",
            "UPDATE customer SET name = 'Old' || %(n)s WHERE id = %(id)s",
        ),
        new_statements=(
            "UPDATE contact SET name = 'New' || %(n)s WHERE id = %(id)s",
            "UPDATE customer SET mail = 'new' WHERE id = %(id)s",
        ),
        apart="SELECT count(*) FROM customer c FULL JOIN crossfade_contact k USING (id)"
        " WHERE (c.name, c.note) IS DISTINCT FROM (k.name, k.note)",
        ended="SELECT count(*) FROM contact WHERE id <= 60 AND name NOT LIKE 'Old%'"
        " OR id > 60 AND id < 121 AND name NOT LIKE 'New%' OR (SELECT count(*) FROM contact)"
        " <> (SELECT count(*) FROM customer)",
    ),
    Case(
        name="add a check",
        table=CUSTOMER,
        change="{version: 1, name: positive, table: public.customer, add_constraint: {name: amount_positive,"
        " check: amount >= 0, repair: [{column: amount, up: '0'}]}}",
        old_statements=("UPDATE customer SET amount = -1 WHERE id = %(id)s",),
        new_statements=("UPDATE customer SET amount = %(n)s + 0.5 WHERE id = %(id)s",),
        apart="SELECT count(*) FROM customer WHERE amount < 0",
        ended="SELECT count(*) FROM customer WHERE id <= 60 AND amount <> 0 OR NOT EXISTS (SELECT FROM pg_constraint"
        " WHERE conname = 'amount_positive' AND convalidated)",
    ),
    Case(
        name="add a foreign key",
        table="CREATE TABLE city (id int PRIMARY KEY); INSERT INTO city VALUES (1), (2);"
        f"{CUSTOMER}; ALTER TABLE customer ADD COLUMN city int DEFAULT 1",
        change="{version: 1, name: lives-in, table: public.customer, add_constraint: {name: lives_in,"
        " foreign_key: {columns: [city], references: public.city, referenced: [id]}}}",
        old_statements=("UPDATE customer SET city = 1 WHERE id = %(id)s",),
        new_statements=("UPDATE customer SET city = 2 WHERE id = %(id)s",),
        apart="SELECT 0",
        ended="SELECT count(*) - 1 FROM pg_constraint WHERE conname = 'lives_in' AND convalidated",
    ),
    Case(
        name="add a unique constraint",
        table=CUSTOMER,
        change="{version: 1, name: one-mail, table: public.customer, add_constraint: {name: one_mail, unique: [mail]}}",
        old_statements=("UPDATE customer SET mail = 'old' || id || '/' || %(n)s WHERE id = %(id)s",),
        new_statements=("UPDATE customer SET mail = 'new' || id || '/' || %(n)s WHERE id = %(id)s",),
        apart="SELECT 0",
        ended="SELECT count(*) - 1 FROM pg_constraint WHERE conname = 'one_mail' AND contype = 'u'",
    ),
    Case(
        name="add an index",
        table=CUSTOMER,
        change="{version: 1, name: by-name, table: public.customer,"
        " add_index: {name: customer_by_name, columns: [name, id], where: note IS NULL}}",
        old_statements=("UPDATE customer SET name = 'old' || %(n)s WHERE id = %(id)s",),
        new_statements=("UPDATE customer SET name = 'new' || %(n)s WHERE id = %(id)s",),
        apart="SELECT 0",
        ended="SELECT count(*) - 1 FROM pg_index WHERE indexrelid = 'customer_by_name'::regclass AND indisvalid",
    ),
)
RENAME = change("{version: 1, name: r, table: public.customer, rename_column: {column: mail, to: email}}")
SPLIT = change(next(case.change for case in CASES if case.name == "split"))
