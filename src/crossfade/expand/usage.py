"""Whether a shape is still used: who writes it is counted by the trigger, who reads it by pg_stat_statements."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from psycopg import sql

from crossfade.expand.catalog import dependents
from crossfade.expand.readers import Readers
from crossfade.expand.session import Session
from crossfade.expand.shape import Objects, Shape

_REPLICATED = sql.SQL("""
    WITH tree AS (SELECT to_regclass(%(table)s)::oid AS oid
            UNION SELECT relid FROM pg_partition_tree(to_regclass(%(table)s))),
        named AS (SELECT c.oid, nspname, relname FROM tree JOIN pg_class c USING (oid)
            JOIN pg_namespace n ON n.oid = relnamespace)
    SELECT 'publication ' || pubname FROM pg_publication_tables
        JOIN named ON schemaname = nspname AND tablename = relname
    UNION SELECT 'a subscription' FROM pg_subscription_rel JOIN named ON srrelid = named.oid
""")
Use = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What a person says that nobody here can see: no reader of the shape is left; both ends of replication are fit."""

    readers_gone: bool = False
    replication_checked: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Looks at one change of one table for `quiet` and finds who uses a shape of it."""

    session: Session
    shape: Shape
    change: str
    quiet: timedelta

    def of_old(self, confirmed: Confirmed, may_drop: frozenset[str]) -> Iterator[Use]:
        """Uses of what contract takes away; none means that it may go."""
        yield from self.replicated(confirmed)
        yield from self._hanging(may_drop)
        yield from self._watched(Objects(self.change).old_writes, self.shape.gone, "old", confirmed)

    def of_new(self, confirmed: Confirmed) -> Iterator[Use]:
        """Uses of what going back takes away."""
        yield from self.replicated(confirmed)
        yield from self._watched(
            Objects(self.change).new_writes, (*self.shape.new, *self.shape.views), "new", confirmed
        )

    def replicated(self, confirmed: Confirmed) -> Iterator[Use]:
        """Replication of the table: a way back that is open, or a copy that lacks what is added here."""
        if confirmed.replication_checked:
            return
        table = self.shape.table
        for (by,) in self.session.rows(_REPLICATED, {"table": table.identifier.as_string()}):
            remedy = (
                "While a migration's way back is open, its other end needs the same columns: do the step there first,"
                " or end the replication; then confirm with --replication-checked."
            )
            yield f"{table} is replicated by {by}", remedy

    def _hanging(self, may_drop: frozenset[str]) -> Iterator[Use]:
        for each in dependents(self.session, self.shape.table, self.shape.gone, self.shape.views):
            if each.goes_silently and each.name in may_drop:
                continue
            name = f"{each.what} {each.name}"
            if each.goes_silently:
                yield (
                    f"{name} would go with its column",
                    f"Make one for the new columns, then list {each.name} in drops.",
                )
            else:
                yield f"{name} uses the old columns", f"Change {each.name} so that it does without them."

    def _watched(
        self, counter: sql.Identifier, columns: tuple[str, ...], which: str, confirmed: Confirmed
    ) -> Iterator[Use]:
        if not columns and not self.shape.counted:
            return
        readers = Readers(self.session, self.shape.table.names, columns)
        looking = bool(columns) and not confirmed.readers_gone
        unseen = readers.unseen() if looking else None
        asked = looking and unseen is None
        written, calls = self._writes(counter), readers.calls() if asked else {}
        time.sleep(self.quiet.total_seconds())  # what is used is used within this time, or not seen
        quiet = f"{self.quiet.total_seconds():g} s"
        if writes := self._writes(counter) - written:
            told = f"the {which} shape was written {writes} times in {quiet}"
            yield told, "Deploy the other version everywhere first."
        if asked and (reads := readers.since(calls)):
            told = f"statements that name the {which} shape ran {reads} times in {quiet}"
            yield told, "Find them in pg_stat_statements; if they are none of yours, confirm with --readers-gone."
        if unseen is not None:
            told = f"nobody can see here who reads the {which} shape"
            yield told, f"{unseen}, or confirm with --readers-gone that no reader is left."

    def _writes(self, counter: sql.Identifier) -> int:
        if self.session.value(sql.SQL("SELECT to_regclass(%s)"), (counter.as_string(),)) is None:
            return 0
        return int(self.session.value(sql.SQL("SELECT last_value - 1 + is_called::int FROM {}").format(counter)))
