"""How everything is named and tagged. Pure."""

from crossfade.model.file import MigrationFile

STACKS = (
    "network",
    "connectivity",
    "notifications",
    "events",
    "data",
    "replication",
    "application",
    "containers",
    "dns",
    "servers",
    "tools",
    "files",
    "validation",
    "rollback",
    "observability",
)
"""Every stack that a file may lead to, in an order in which each only needs those before it."""

NAMESPACE = "Crossfade"
"""CloudWatch namespace of the migration's own metrics."""


def resource_name(file: MigrationFile, kind: str) -> str:
    """`kind-suffix`: the name of the one resource of that kind. Source: REQUIREMENTS A16."""
    return f"{kind}-{file.environment.suffix}"


def log_group_name(file: MigrationFile, kind: str) -> str:
    """A log group of ours, below a path that tells them from others."""
    return f"/crossfade/{resource_name(file, kind)}"


def tags_of(file: MigrationFile) -> dict[str, str]:
    """The tags of every resource. What the file names further does not replace ours."""
    ours = {
        "project": "crossfade",
        "migration": file.migration.name,
        "owner": file.migration.owner,
        "environment": file.environment.suffix,
    }
    if file.migration.cost_center:
        ours["cost-center"] = file.migration.cost_center
    return {**file.environment.tags, **ours}


def zone_name(file: MigrationFile) -> str:
    """The private hosted zone."""
    return file.traffic.dns.zone or f"{file.migration.name}.internal"


def retention_days(asked: int) -> int:
    """The shortest retention that CloudWatch Logs offers and that is not shorter than what is asked for."""
    return next(days for days in _RETENTIONS if days >= asked)


_RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Source: CloudWatch Logs API reference, PutRetentionPolicy."""
