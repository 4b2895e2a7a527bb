"""What the adapters report of the world. Every value here was true at the time of its `Sighting`, not later."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from crossfade.model.comparing import ShadowReading
from crossfade.model.counts import ArmReading
from crossfade.model.terms import NoData, Side, Sighting


class Severity(StrEnum):
    """`BLOCKER` stops the migration in prepare; `WARNING` is shown and recorded."""

    BLOCKER = "blocker"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that preflight found: the object, why it matters, and the remedy (as SQL where it is SQL).

    `accepted` says why a person lets it stay; empty where nobody did. A blocker is never accepted.
    """

    severity: Severity
    subject: str
    problem: str
    remedy: str
    accepted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """Logical replication away from `primary`.

    `lag_bytes` is replay lag: the primary's write position less what the other side has replayed and confirmed.
    `lag` is the same as time: 0 when the newest marker row has arrived, else the age of the oldest that is missing;
    None before the first has arrived.
    `retained_wal_bytes` is what the primary keeps on disk for the slot.
    """

    primary: Side
    tables: int
    tables_copied: int
    lag_bytes: int
    lag: timedelta | None
    retained_wal_bytes: int
    applying: bool

    @property
    def copied(self) -> bool:
        return self.tables > 0 and self.tables_copied == self.tables


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """Replication from `primary` to the other side, by which writes would return.

    `built`: slot, publication and subscription stand (asleep or awake). `proven`: a marker written on the primary
    after the last switch has been seen on the other side.
    """

    primary: Side
    built: bool
    proven: bool
    lag_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Which sides let the application write, by what the databases themselves say, and the epochs they hold."""

    source_open: bool
    source_epoch: int
    target_open: bool
    target_epoch: int

    @property
    def side(self) -> Side | None:
        """The one side that takes writes; None while neither (or, a broken rule, both) does."""
        if self.source_open == self.target_open:
            return None
        return Side.SOURCE if self.source_open else Side.TARGET


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchReport:
    """What a switch did, measured on the engine's monotonic clock from the fence's first statement.

    `moments` are names of the points of the switch (`fenced`, `drained`, `opened` …) with the time since the start.
    `write_window` is fence to open. `fenced_at` is when the fence stood by the clock of the side that was fenced; None
    if nobody asked it. `resumed` tells that an earlier attempt had begun it.
    """

    to: Side
    epoch: int
    write_window: timedelta
    moments: tuple[tuple[str, timedelta], ...]
    fenced_at: datetime | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The share of users that the router sends to the modern servers, in percent, as the router itself reports it."""

    canary_percent: float
    mirror_percent: float = 0.0


class ServerState(StrEnum):
    """The life of a replicated server, in MGN's words. Source: AWS MGN user guide, 'Lifecycle'."""

    NOT_READY = "NOT_READY"
    READY_FOR_TEST = "READY_FOR_TEST"
    TESTING = "TESTING"
    READY_FOR_CUTOVER = "READY_FOR_CUTOVER"
    CUTTING_OVER = "CUTTING_OVER"
    CUTOVER = "CUTOVER"
    DISCONNECTED = "DISCONNECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """One legacy server and its twin. `instance_running`: the twin's launched instance answers."""

    name: str
    state: ServerState
    instance_running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSync:
    """Files kept in step from `primary` to the other side; `pending` are known to differ or to be missing there."""

    primary: Side
    files: int
    bytes: int
    pending: int
    lag: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check after or before a change: what was asked, whether it passed, and what was found instead."""

    name: str
    subject: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row that is not the same on both sides. `key` is shown as JSON text; values are never kept.

    `written_since_switch`: True, the target's version is newer than the moment when the target was opened; False, it
    stands on both sides and neither has written it since the switch; None, that cannot be told.
    """

    table: str
    key: str
    kind: str
    columns: tuple[str, ...] = ()
    written_since_switch: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Source compared with target, row by row. `unresolved` keys did not settle: they count as not verified."""

    tables: int
    rows: int
    differences: tuple[Difference, ...]
    unresolved: tuple[str, ...]
    duration: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A path between the sites and whether it carries traffic now.

    Of those that are `redundant` one is enough: traffic takes whichever is up. Every other is needed.
    """

    name: str
    up: bool
    round_trip: timedelta | None = None
    redundant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How much room the source has left, and what the migration takes of it.

    `connections` of `most_connections` are used by anybody, `our_sessions` of them by the migration itself, its senders
    of WAL included. `wal_bytes` is all WAL on disk; `slot_wal_limit_bytes` what its server lets a slot keep before it
    drops the slot, `free_disk_bytes` what its disk has left; both None where unlimited or not known. `look` is how long
    it took to find out.
    """

    connections: int
    most_connections: int
    our_sessions: int
    wal_bytes: int
    slot_wal_limit_bytes: int | None
    free_disk_bytes: int | None
    look: timedelta


NOT_ASKED = NoData(reason="not asked")
NEVER_SEEN: Sighting[Any] = Sighting(at=datetime(1970, 1, 1, tzinfo=UTC), value=NOT_ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that `decide` may know of the world at `at`; a field not asked for is NO_DATA.

    `drained`: no request is in flight to the modern servers.
    """

    at: datetime
    replication: Sighting[Replication]
    way_back: Sighting[WayBack]
    writer: Sighting[Writer]
    shares: Sighting[Shares]
    arms: Sighting[ArmReading]
    servers: Sighting[tuple[ServerStatus, ...]]
    files: Sighting[FileSync]
    drained: Sighting[bool]
    links: Sighting[tuple[Link, ...]] = NEVER_SEEN
    source: Sighting[SourceHealth] = NEVER_SEEN
    shadow: Sighting[ShadowReading] = NEVER_SEEN
