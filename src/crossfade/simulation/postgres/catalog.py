"""What a modelled database knows besides rows: who may do what, what is published, and what Crossfade keeps in it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from crossfade.model.terms import Side

SCHEMA = "ledger"
ENTRIES = f"{SCHEMA}.entries"
ACCOUNTS = f"{SCHEMA}.accounts"
SEQUENCE = f"{SCHEMA}.entries_id_seq"
MARKER, BEAT = "crossfade.marker", "crossfade.beat"

OWNER, APPLICATION, BATCH = "ledger_owner", "ledger_app", "ledger_batch"
SUPERUSERS = ("postgres", "crossfade")


class Grant(NamedTuple):
    """A right to write to a table. An owner's implicit right is one too."""

    table: str
    role: str


class Writer(NamedTuple):
    """The row of crossfade.writer. `horizon` is a position of the log: what was committed up to it is older."""

    side: Side
    open: bool
    epoch: int
    since: datetime
    horizon: int | None = None


class SlotRecord(NamedTuple):
    """A row of crossfade.slot_record."""

    name: str
    system_id: int
    timeline: str
    lost_reason: str | None
    begins_at: int | None = None
    sent: int | None = None
    counted_since: int | None = None


class Marker(NamedTuple):
    """A row of crossfade.marker; its key is (origin, purpose)."""

    token: str
    epoch: int
    sequences: tuple[tuple[str, int], ...] | None


class Plan(NamedTuple):
    """What plan_fence keeps: good while the catalog's version is the same."""

    version: int
    taken: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything transactional that is not replicated. `version` changes with each grant and each table's definition.

    `columns` holds the application's tables and their columns, in a fixed order. `unstoppable` are roles that may
    write although nothing grants it to them by name (members of pg_write_all_data). `writer` is None where Crossfade
    is not installed.
    """

    version: int = 0
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    unstoppable: tuple[str, ...] = ()
    installed: bool = False
    scope: tuple[str, ...] = ()
    writer: Writer | None = None
    fenced: tuple[Grant, ...] = ()
    plan: Plan | None = None
    slot_records: tuple[SlotRecord, ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    publications: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def slot_record(self, name: str) -> SlotRecord | None:
        return next((record for record in self.slot_records if record.name == name), None)

    def may_write(self, role: str, table: str) -> bool:
        return role in SUPERUSERS or role in self.unstoppable or (table, role) in self.grants


def application_grants(tables: tuple[str, ...]) -> tuple[Grant, ...]:
    """Who writes on a source before anything begins: the owner by right, two roles by grant."""
    return tuple(Grant(table, role) for table in tables for role in (OWNER, APPLICATION, BATCH))
