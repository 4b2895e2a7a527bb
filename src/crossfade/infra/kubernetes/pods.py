"""The pods of the application: probes, resources, and no more rights than they need."""

from datetime import timedelta

from crossfade.infra.kubernetes.names import HTTP, Object, application, labels, selector, whole_seconds
from crossfade.model.file import MigrationFile

_LEAVE_SERVICES = timedelta(seconds=10)
"""Load balancers learn that a pod goes only after it was told to end; until then it must answer.

Source: Kubernetes documentation, 'Pod Lifecycle', termination of pods.
"""
_SPARE = timedelta(seconds=5)


def pod_template(file: MigrationFile) -> Object:
    """`spec.template` of the Rollout."""
    drain = file.traffic.drain_timeout
    return {
        "metadata": {"labels": labels(file)},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": whole_seconds(_LEAVE_SERVICES + drain + _SPARE),
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": selector(file)},
                }
            ],
            "containers": [_container(file)],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


def secret_name(file: MigrationFile) -> str:
    """The Kubernetes Secret that holds the application's secrets; others put it there."""
    return f"{application(file)}-secrets"


def _container(file: MigrationFile) -> Object:
    wanted = file.kubernetes
    resources = {"cpu": wanted.cpu, "memory": wanted.memory}
    container: Object = {
        "name": application(file),
        "image": file.target.containers.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": HTTP, "containerPort": wanted.port, "protocol": "TCP"}],
    }
    if environment := _environment(file):
        container["env"] = environment
    return container | {
        "resources": {"requests": resources, "limits": resources},
        "startupProbe": _probe(file, period=2, failures=60),
        "readinessProbe": _probe(file, period=5, failures=2),
        "livenessProbe": _probe(file, period=10, failures=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": whole_seconds(_LEAVE_SERVICES)}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # a path in the container
    }


def _environment(file: MigrationFile) -> list[Object]:
    """Values as the file has them; secrets by reference alone."""
    containers = file.target.containers
    plain: list[Object] = [{"name": name, "value": value} for name, value in sorted(containers.environment.items())]
    kept: list[Object] = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret_name(file), "key": name}}}
        for name in sorted(containers.secrets)
    ]
    return plain + kept


def _probe(file: MigrationFile, *, period: int, failures: int) -> Object:
    return {
        "httpGet": {"path": file.kubernetes.health_path, "port": HTTP},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }
