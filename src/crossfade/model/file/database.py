"""The database: its two ends, how it is replicated, and how its one writer is switched."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from crossfade.model.file.quantities import Count, Duration, Port, PositivePercent, Size, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import DatabaseName, FilePath, HostName, InstanceType, Secret, TableName, Text

MEGABYTE = 10**6
GIGABYTE = 10**9


class TlsMode(StrEnum):
    """How a connection is protected, in libpq's words; nothing weaker than `require` can be asked for."""

    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class SourceDatabase(Section):
    """The server that takes the writes today."""

    version: Annotated[int, Field(ge=13, le=18)] = 13
    """PostgreSQL major version."""
    host: HostName | None = None
    """Host name or address; the rehearsal makes its own."""
    port: Port = 5432
    """Port."""
    credentials: Secret | None = None
    """Where the replication user's credentials are kept; the rehearsal makes its own."""
    tls: TlsMode = TlsMode.VERIFY_FULL
    """How connections over the link are protected."""
    root_certificate: FilePath | None = None
    """Certificate that `verify-ca` and `verify-full` trust, as a file relative to this one; the system's by default."""
    highly_available: bool = False
    """A failover may happen: slots do not survive one on PostgreSQL 13, so it demands a new full load."""


class TargetEngine(StrEnum):
    """What serves the database on AWS."""

    RDS = "rds"
    AURORA = "aurora"


class TargetDatabase(Section):
    """The server that takes the writes after cutover."""

    engine: TargetEngine = TargetEngine.RDS
    """`rds` or `aurora`, both PostgreSQL over several Availability Zones."""
    version: Annotated[int, Field(ge=13, le=18)] = 18
    """PostgreSQL major version, not older than the source's."""
    instance_class: InstanceType = "db.r6g.xlarge"
    """Instance class."""
    storage: Size | None = None
    """Allocated storage; without it, half as much again as `database.size`."""
    multi_az: bool = True
    """A standby in another Availability Zone."""
    credentials: Secret | None = None
    """Where the administrator's credentials are kept; without it a secret is made and rotated."""
    tls: TlsMode = TlsMode.VERIFY_FULL
    """How connections are protected; the server refuses any without TLS."""
    root_certificate: FilePath | None = None
    """Certificates of RDS's authorities, which DMS needs to verify the server, as a file relative to this one."""
    backup_days: Annotated[int, Field(ge=1, le=35)] = 7
    """Days of automatic backups; they go with the stack."""


class ReplicationEngine(StrEnum):
    """What carries the changes."""

    NATIVE = "native"
    DMS = "dms"


class LobMode(StrEnum):
    """How DMS moves large objects. Native replication moves all of them whole."""

    NONE = "none"
    LIMITED = "limited"
    FULL = "full"
    INLINE = "inline"


class LargeObjects(Section):
    """Large objects (text, bytea, json beyond a row's usual size)."""

    mode: LobMode = LobMode.FULL
    """`limited` and `inline` need `max_size`; choose it from measured sizes, for DMS cuts what is longer."""
    max_size: Size = 64 * 1024
    """Largest object moved in one piece with `limited` or `inline`."""


class WalGuard(Section):
    """What the source keeps on disk for the migration. The migration gives way before the source suffers."""

    warn_at: Size = 10 * GIGABYTE
    """Retained WAL at which people are told."""
    drop_at: Size = 50 * GIGABYTE
    """Retained WAL at which the slot is dropped: the migration starts anew, the source lives on."""


class SourceGuard(Section):
    """What else the source must have left. People are told at the first limit of each pair.

    At the second the migration rolls back, as long as the source takes the writes.
    """

    connections_warn_percent: PositivePercent = 80.0
    """Connections in use, of those that may be open, at which people are told."""
    connections_give_way_percent: PositivePercent = 95.0
    """Connections in use at which the migration gives way, when they stay so for `connections_patience`."""
    connections_patience: Duration = timedelta(seconds=30)
    """How long it must have been warned of connections before it gives way."""
    free_disk_warn: Size = 20 * GIGABYTE
    """Room left on the source's disk at which people are told."""
    free_disk_give_way: Size = 5 * GIGABYTE
    """Room left at which the migration gives way. A rehearsal, whose source is small, takes 96 MiB at most."""
    slow_answer: Span = timedelta(seconds=1)
    """People are told when the source takes longer than this to say how it is."""


class Dms(Section):
    """Settings of `engine: dms`."""

    instance_class: InstanceType = "dms.r6i.xlarge"
    """Replication instance, sized for the database."""
    storage: Size = 200 * GIGABYTE
    """Storage of the replication instance, for cached changes and logs."""
    multi_az: bool = True
    """A standby of the replication instance."""
    validation: bool = True
    """DMS's own data validation, beside Crossfade's."""
    wal_heartbeat: bool = True
    """Heartbeats keep an idle source from holding WAL."""
    parallel_load: Annotated[int, Field(ge=1, le=49)] = 8
    """Tables loaded at once."""
    numeric_scale: Annotated[int, Field(ge=0, le=38)] | None = None
    """Scale for NUMERIC without one. DMS rounds such columns to six digits: without this they are refused."""


class Replication(Section):
    """Full load, then CDC, and how far it may lag."""

    engine: ReplicationEngine = ReplicationEngine.NATIVE
    """`native` logical replication, or `dms`."""
    max_lag_bytes: Size = 16 * MEGABYTE
    """Replay lag in bytes above which no phase goes on."""
    max_lag_time: Span = timedelta(seconds=10)
    """Age of the newest arrived marker above which no phase goes on."""
    copy_workers: Annotated[int, Field(ge=1, le=64)] = 4
    """Tables copied at once in the full load, and indexes made at once after it."""
    full_load_limit: Span = timedelta(days=3)
    """A full load that takes longer halts the migration."""
    wal: WalGuard = WalGuard()
    """Limits of the WAL that the source retains."""
    source_guard: SourceGuard = SourceGuard()
    """Limits of the source's connections and disk."""
    lob: LargeObjects = LargeObjects()
    """How large objects are moved."""
    dms: Dms = Dms()
    """Settings of `engine: dms`."""


class Switch(Section):
    """The switch of the one writer, in either direction."""

    lock_timeout: Span = timedelta(seconds=2)
    """Longest wait for the writers inside a table; then the fence is lifted at once."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    """Attempts before a person is asked."""
    retry_after: Span = timedelta(seconds=30)
    """Pause between attempts."""
    drain_timeout: Span = timedelta(seconds=5)
    """Longest wait for the last changes to arrive; then the fence is lifted."""
    end_long_transactions: bool = False
    """End sessions that block the fence, after naming them; otherwise try again later."""
    sequence_margin: Annotated[int, Field(ge=1, le=10**12)] = 1000
    """How far sequences are set ahead of the old side's values."""


class Database(Section):
    """The database that moves. Its full extent is moved unless `tables` names less."""

    name: DatabaseName
    """Name of the database."""
    size: Size
    """Size on disk; full load, storage and WAL limits are planned by it."""
    application_roles: Annotated[tuple[DatabaseName, ...], Field(min_length=1)]
    """Roles by which the application writes, owners of tables included. Each is fenced; none may be a superuser."""
    schemas: Annotated[tuple[DatabaseName, ...], Field(min_length=1)] = ("public",)
    """Schemas that are moved."""
    tables: tuple[TableName, ...] = ()
    """Tables that are moved. Empty: all of the schemas."""
    exclude_tables: tuple[TableName, ...] = ()
    """Tables that stay behind although the rest moves."""
    source: SourceDatabase = SourceDatabase()
    """The server that takes the writes today."""
    target: TargetDatabase = TargetDatabase()
    """The server that takes the writes after cutover."""
    replication: Replication = Replication()
    """Full load, CDC and their limits."""
    switch: Switch = Switch()
    """The switch of the one writer."""
    preflight_accept: dict[Text, Text] = Field(default_factory=dict)
    """Preflight warnings that are accepted: the finding's subject, and why. Blockers cannot be accepted."""
    schema_changes: tuple[FilePath, ...] = ()
    """Expand-contract changes that belong to this migration, as files relative to this one."""


class HashMode(StrEnum):
    """How rows are compared: by typed hashes (1.10 equals 1.1), or strictly by their text."""

    TYPED = "typed"
    TEXT = "text"


class Verification(Section):
    """Source against target, row by row, under live writes."""

    hash: HashMode = HashMode.TYPED
    """`typed` is four times as fast; `text` also tells 1.10 from 1.1."""
    chunk_rows: Count = 50_000
    """Rows compared at once while nobody writes."""
    chunk_rows_live: Count = 5_000
    """Rows compared at once under writes."""
    rounds: Annotated[int, Field(ge=1, le=100)] = 4
    """Under writes: rounds of ever smaller parts until single keys are looked at."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Chunks compared at the same time."""
    max_statements_per_second: Count | None = None
    """Limit of the load on either server; none by default."""
    max_share_percent: PositivePercent | None = None
    """Of the time, at most this share with a statement running on either server; no limit by default."""
    time_limit: Span = timedelta(hours=12)
    """A verification that takes longer has not passed."""
    key_attempts_for: Duration | None = None
    """How long a key that is written all the while is tried before it counts as unsettled; twelve looks by default."""
