"""Which components a file asks for. The one place where that is decided. Pure."""

from crossfade.infra.images import repository
from crossfade.model.file import MigrationFile
from crossfade.model.file.database import ReplicationEngine
from crossfade.model.file.servers import FileTarget, ServerEngine
from crossfade.model.file.site import ComputeEngine


def dms(file: MigrationFile) -> bool:
    """DMS carries the changes, or is described and so stands ready beside native replication."""
    replication = file.database.replication
    return replication.engine is ReplicationEngine.DMS or "dms" in replication.model_fields_set


def vpn(file: MigrationFile) -> bool:
    return file.connectivity.vpn.customer_gateway is not None


def direct_connect(file: MigrationFile) -> bool:
    return file.connectivity.direct_connect.enabled


def datasync_tasks(file: MigrationFile) -> bool:
    """Without the agent and the server that it mounts, there is nothing to copy from."""
    return file.files.agent is not None and file.files.server is not None


def efs(file: MigrationFile) -> bool:
    return any(share.target is FileTarget.EFS for share in file.files.shares)


def mgn(file: MigrationFile) -> bool:
    return file.servers.engine is ServerEngine.MGN


def ecs(file: MigrationFile) -> bool:
    return file.target.compute is ComputeEngine.ECS


def tools(file: MigrationFile) -> bool:
    """Tools of AWS for which the templates can do something."""
    return file.aws_tools.migration_hub or file.aws_tools.discovery


def way_out(file: MigrationFile) -> bool:
    """Something private must reach the internet: CloudEndure's service, or a registry of images outside AWS.

    Everything else goes through endpoints, so that there is no NAT gateway and nothing private leaves.
    """
    return not mgn(file) or (ecs(file) and repository(file.target.containers.image) is None)
