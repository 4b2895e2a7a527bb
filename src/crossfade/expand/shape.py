"""What a change needs done, as statements; the same form for every kind of change."""

from dataclasses import dataclass, field
from enum import StrEnum

from psycopg import sql

from crossfade.expand.catalog import Table

STATE_SCHEMA = "crossfade_expand"


class LockMode(StrEnum):
    """Modes of LOCK TABLE. Source: PostgreSQL manual, 13.3."""

    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Statements of one transaction, which either all hold or none; first the tables are locked, in their order.

    Under a lock stand changes of the catalogue only, as few statements as they can be written in: what others wait for
    must read no row and write no file. With `index` it is one statement that runs outside of a transaction and may
    leave that index invalid when it fails: the index is then dropped and built anew. Without locks it takes none that
    keep writers waiting.
    """

    name: str
    statements: tuple[sql.Composable, ...]
    locks: tuple[sql.Identifier, ...] = ()
    mode: LockMode = LockMode.ACCESS_EXCLUSIVE
    index: sql.Identifier | None = None
    when: sql.Composable | None = None
    """A condition, asked before any lock is taken: where it does not hold there is nothing to do."""
    undoes: str | None = None
    """The work of expand without which there is nothing to undo; it may be that somebody else's column has the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One change of one table.

    `unfilled` and `diverging` are predicates over a row of the table, its columns without qualification: rows that the
    backfill touches by setting `touch` to itself, whereupon the trigger brings them in step; rows whose shapes do not
    agree. `undo` takes everything of `expand` away, whatever of it there is. `gone` are columns that contract drops,
    `new` those that going back drops.
    """

    table: Table
    expand: tuple[Work, ...]
    undo: tuple[Work, ...]
    contract: tuple[Work, ...] = ()
    validate: tuple[Work, ...] = ()
    touch: str | None = None
    unfilled: sql.Composable | None = None
    diverging: sql.Composable | None = None
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    counted: bool = field(default=False)


class Objects:
    """Names of what a change makes; a change's name has at most 40 characters, so they fit."""

    def __init__(self, change: str) -> None:
        plain = change.replace("-", "_")
        self.function = sql.Identifier(STATE_SCHEMA, plain)
        self.trigger = sql.Identifier(f"zzz_crossfade_{plain}")  # triggers fire by name: ours sees what others wrote
        self.old_writes = sql.Identifier(STATE_SCHEMA, f"{plain}_old_writes")
        self.new_writes = sql.Identifier(STATE_SCHEMA, f"{plain}_new_writes")
        self.constraint_name = f"crossfade_{plain}"
        self.constraint = sql.Identifier(self.constraint_name)
        self.data = f"crossfade_{plain}"
