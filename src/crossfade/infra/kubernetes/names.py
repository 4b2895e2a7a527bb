"""What the objects are called. All stand in one namespace, and carry the same labels."""

import math
from datetime import timedelta

from crossfade.model.file import MigrationFile

ROLLOUTS_API = "argoproj.io/v1alpha1"
HTTP = "http"
"""The name of the port, of containers and services alike."""
SERVICE_PORT = 80

Object = dict[str, object]


def application(file: MigrationFile) -> str:
    """The Rollout, and what everything else is called after."""
    return file.migration.name


def selector(file: MigrationFile) -> dict[str, str]:
    """Finds the pods of both sides; it cannot be changed once a Rollout stands."""
    return {"app.kubernetes.io/name": application(file)}


def labels(file: MigrationFile) -> dict[str, str]:
    return {
        **selector(file),
        "app.kubernetes.io/instance": f"{application(file)}-{file.environment.suffix}",
        "app.kubernetes.io/managed-by": "crossfade",
    }


def metadata(file: MigrationFile, name: str, annotations: dict[str, str] | None = None) -> Object:
    found: Object = {"name": name, "namespace": file.kubernetes.namespace, "labels": labels(file)}
    if annotations:
        found["annotations"] = annotations
    return found


def host(file: MigrationFile) -> str:
    """The name that users ask for."""
    dns = file.traffic.dns
    return file.kubernetes.host or f"{dns.record}.{dns.zone or f'{application(file)}.internal'}"


def seconds(value: timedelta) -> str:
    """A duration as Argo and Prometheus both read it: whole seconds, at least one."""
    return f"{whole_seconds(value)}s"


def whole_seconds(value: timedelta) -> int:
    """Rounded up, at least one: to several of Argo's settings, none means something else."""
    return max(1, math.ceil(value.total_seconds()))
