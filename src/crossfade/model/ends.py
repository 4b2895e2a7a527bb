"""What can be wanted of the world. An end says how it shall be, never what to add: reaching it twice is harmless."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from crossfade.model.terms import Side, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConnected:
    kind: Literal["network_connected"] = "network_connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightClean:
    kind: Literal["preflight_clean"] = "preflight_clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksPassed:
    suite: Suite
    kind: Literal["checks_passed"] = "checks_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaCreated:
    """The first half of the schema stands on the target."""

    kind: Literal["schema_created"] = "schema_created"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationStarted:
    kind: Literal["replication_started"] = "replication_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaCompleted:
    """The second half too: indexes, foreign keys, triggers."""

    kind: Literal["schema_completed"] = "schema_completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBackBuilt:
    """Reverse replication stands, asleep."""

    kind: Literal["way_back_built"] = "way_back_built"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersReplicating:
    kind: Literal["servers_replicating"] = "servers_replicating"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesFollow:
    """Files written on `primary` appear on the other side."""

    primary: Side
    kind: Literal["files_follow"] = "files_follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestInstancesRunning:
    kind: Literal["test_instances_running"] = "test_instances_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestInstancesGone:
    kind: Literal["test_instances_gone"] = "test_instances_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataVerified:
    """Every row is the same on both sides, compared after the switch that gave `epoch`."""

    primary: Side
    epoch: int
    kind: Literal["data_verified"] = "data_verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorIs:
    percent: float
    kind: Literal["mirror_is"] = "mirror_is"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverInstancesRunning:
    kind: Literal["cutover_instances_running"] = "cutover_instances_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverInstancesGone:
    """What an earlier cutover launched, and no user is sent to any more, is ended; the next launch is a new one."""

    kind: Literal["cutover_instances_gone"] = "cutover_instances_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesAre:
    """`canary_percent` (0 to 100) of the users are on the modern servers."""

    canary_percent: float
    kind: Literal["shares_are"] = "shares_are"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPrepared:
    to: Side
    kind: Literal["switch_prepared"] = "switch_prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterIs:
    """`side` alone takes writes, under `epoch`: fence, drain, open."""

    side: Side
    epoch: int
    kind: Literal["writer_is"] = "writer_is"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBackAwake:
    """Replication from `primary` is live, and a marker written after the switch of `epoch` has arrived."""

    primary: Side
    epoch: int
    kind: Literal["way_back_awake"] = "way_back_awake"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBackEnded:
    """The point of no return."""

    kind: Literal["way_back_ended"] = "way_back_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersFinalized:
    kind: Literal["servers_finalized"] = "servers_finalized"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesStopped:
    kind: Literal["files_stopped"] = "files_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRetired:
    kind: Literal["source_retired"] = "source_retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationRemoved:
    kind: Literal["replication_removed"] = "replication_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersReverted:
    kind: Literal["servers_reverted"] = "servers_reverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesReverted:
    kind: Literal["files_reverted"] = "files_reverted"


End = Annotated[
    NetworkConnected
    | PreflightClean
    | ChecksPassed
    | SchemaCreated
    | ReplicationStarted
    | SchemaCompleted
    | WayBackBuilt
    | ServersReplicating
    | FilesFollow
    | TestInstancesRunning
    | TestInstancesGone
    | DataVerified
    | MirrorIs
    | CutoverInstancesRunning
    | CutoverInstancesGone
    | SharesAre
    | SwitchPrepared
    | WriterIs
    | WayBackAwake
    | WayBackEnded
    | ServersFinalized
    | FilesStopped
    | SourceRetired
    | ReplicationRemoved
    | ServersReverted
    | FilesReverted,
    Field(discriminator="kind"),
]
