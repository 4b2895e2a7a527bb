"""What an inventory says: one model for every tool it may come from. Sizes are MiB, rates KiB a second.

A value that no source tells, or that sources contradict each other on, is None; contradictions stand in `Conflict`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a row of a source is about."""

    SERVER = "server"
    HOST = "host"
    APPLICATION = "application"
    DATABASE = "database"
    FILES = "files"
    DEPENDENCY = "dependency"


class Power(StrEnum):
    """Whether a server ran when it was looked at."""

    ON = "on"
    OFF = "off"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Place:
    """Where something is told: file (within an archive: archive/file), sheet (empty: it has none), row from 1."""

    source: str
    sheet: str
    row: int

    def __str__(self) -> str:
        return ":".join(part for part in (self.source, self.sheet, str(self.row)) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that was not understood. `row` None: the whole sheet or file; `column` empty: the whole row."""

    source: str
    sheet: str
    row: int | None
    column: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Disk:
    """A disk as the hypervisor or the system counts it."""

    name: str
    capacity_mib: int


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Partition:
    """A file system within a server."""

    path: str
    capacity_mib: int
    used_mib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A machine that may move. `ids` are those that tools gave it, each as `kind:value`."""

    name: str
    other_names: tuple[str, ...] = ()
    host_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    mac_addresses: tuple[str, ...] = ()
    uuid: str | None = None
    ids: tuple[str, ...] = ()
    power: Power | None = None
    is_template: bool | None = None
    operating_system: str | None = None
    os_version: str | None = None
    cpus: int | None = None
    cores: int | None = None
    memory_mib: int | None = None
    disk_mib: int | None = None
    disk_used_mib: int | None = None
    disks: tuple[Disk, ...] = ()
    partitions: tuple[Partition, ...] = ()
    firmware: str | None = None
    networks: tuple[str, ...] = ()
    data_center: str | None = None
    cluster: str | None = None
    hypervisor: str | None = None
    environment: str | None = None
    tier: str | None = None
    applications: tuple[str, ...] = ()
    owner: str | None = None
    wave: str | None = None
    strategy: str | None = None
    tags: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    cpu_average_percent: float | None = None
    cpu_peak_percent: float | None = None
    memory_average_percent: float | None = None
    memory_peak_percent: float | None = None
    disk_read_kib_s: float | None = None
    disk_write_kib_s: float | None = None
    disk_reads_s: float | None = None
    disk_writes_s: float | None = None
    network_in_kib_s: float | None = None
    network_out_kib_s: float | None = None
    recommended_instance: str | None = None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine that carries servers and does not move itself."""

    name: str
    data_center: str | None = None
    cluster: str | None = None
    cores: int | None = None
    memory_mib: int | None = None
    cpu_average_percent: float | None = None
    memory_average_percent: float | None = None
    operating_system: str | None = None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What people call by one name. `servers` are names of servers; without places it is only named by others."""

    name: str
    description: str | None = None
    business_service: str | None = None
    environment: str | None = None
    owner: str | None = None
    contributors: tuple[str, ...] = ()
    wave: str | None = None
    strategy: str | None = None
    tags: tuple[str, ...] = ()
    artefact: str | None = None
    repository: str | None = None
    servers: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database: told as such, or seen as a process or tag that names its engine (`evidence`)."""

    name: str
    engine: str | None = None
    version: str | None = None
    server: str | None = None
    application: str | None = None
    size_mib: int | None = None
    owner: str | None = None
    evidence: str = "told"
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files that move as a whole: a share or a folder."""

    name: str
    path: str | None = None
    server: str | None = None
    application: str | None = None
    size_mib: int | None = None
    owner: str | None = None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a dependency. `server` and `application` name records of the inventory.

    An end with neither is not in the inventory: then the name and the address that were told are all that is known.
    """

    told: str | None = None
    address: str | None = None
    server: str | None = None
    application: str | None = None

    @property
    def is_known(self) -> bool:
        return self.server is not None or self.application is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """`source` needs `destination`: the side that asks, and the side that answers on `port`.

    `connections` counts how often it was told. `latency_ms` is what the source bears at most. Where `direction_known`
    is false, the list named two ends and did not show which of them asks.
    """

    source: End
    destination: End
    port: int | None = None
    protocol: str | None = None
    source_process: str | None = None
    destination_process: str | None = None
    connections: int = 1
    volume_bytes: int | None = None
    latency_ms: float | None = None
    direction_known: bool = True
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Rows that turned out to be about one record, and what showed it: `host name`, `address`, `MAC`, `UUID` …"""

    name: str
    reason: str
    value: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Sources that contradict each other. `told` has each value with the places that tell it; nothing was chosen."""

    name: str
    column: str
    told: Mapping[str, tuple[Place, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of the rows of one sheet: rows = accepted + refused + passed_over; blank ones come beside them.

    `passed_over` rows are understood and say nothing that is used, for the reasons in `why_passed_over`. `notes` tell
    what was assumed.
    """

    source: str
    sheet: str
    format: str
    rows: int = 0
    accepted: int = 0
    refused: int = 0
    passed_over: int = 0
    blank: int = 0
    why_passed_over: tuple[str, ...] = ()
    columns_not_read: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything the sources tell, merged. accepted rows = records that rows tell (`told`, by kind) + `merged_rows`.

    Records beyond that are only named by others: an application by its servers, a database by its process.
    """

    servers: tuple[Server, ...] = ()
    hosts: tuple[Host, ...] = ()
    applications: tuple[Application, ...] = ()
    databases: tuple[Database, ...] = ()
    files: tuple[Files, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    merges: tuple[Merge, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[Problem, ...] = ()
    accounts: tuple[Account, ...] = ()
    told: Mapping[Kind, int] = field(default_factory=dict)
    merged_rows: int = 0

    @property
    def accepted(self) -> int:
        return sum(account.accepted for account in self.accounts)

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(sorted({account.format for account in self.accounts if account.format}))
