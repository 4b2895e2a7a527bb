"""How the two databases are reached and how patient the role is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from crossfade.model.terms import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One side. `dsn` is how we reach it; `subscriber_dsn` how the other side's subscription does (through the WAN).

    Both are libpq connection strings to the application's database, as the migration's own role.
    """

    dsn: str = field(repr=False)
    subscriber_dsn: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeSettings:
    """`programs` is the folder of pg_dump and pg_restore of the target's major version.

    `application_roles` are checked by name; the fence itself stops every role that is not a superuser.
    `sequence_margin` is in steps of each sequence. `lock_timeout` bounds how long a fence waits for writers.
    `quiet_timeout` is how long a switch waits, before it fences, for transactions older than itself to end.
    `retained_wal_limit_bytes`: past it a slot is dropped: the migration is lost, never the primary.
    `schema_sessions`: how many indexes and constraints of the second half are made at once.
    `preflight_accept`: warnings of preflight that may stay, by their subject or as 'check: subject', and why.
    """

    source: Reach
    target: Reach
    programs: Path
    schemas: tuple[str, ...]
    application_roles: tuple[str, ...] = ()
    application_name: str = "crossfade"
    sequence_margin: int = 1000
    lock_timeout: timedelta = timedelta(seconds=2)
    quiet_timeout: timedelta = timedelta(seconds=5)
    drain_timeout: timedelta = timedelta(seconds=5)
    wake_timeout: timedelta = timedelta(seconds=20)
    look_timeout: timedelta = timedelta(seconds=2)
    attempts: int = 3
    retry_pause: timedelta = timedelta(seconds=1)
    end_blocking_sessions: bool = False
    retained_wal_limit_bytes: int = 8 * 2**30
    asleep_wal_bytes: int = 16 * 2**20
    schema_sessions: int = 4
    preflight_accept: Mapping[str, str] = field(default_factory=dict)

    def reach(self, side: Side) -> Reach:
        return self.source if side is Side.SOURCE else self.target


def channel(publisher: Side) -> str:
    """The one name of publication, slot and subscription of the replication out of `publisher`."""
    return f"crossfade_from_{publisher}"
