"""Services of both sides, and what keeps their pods reachable, enough in number, and alone with their port."""

from crossfade.infra.kubernetes.names import (
    HTTP,
    ROLLOUTS_API,
    SERVICE_PORT,
    Object,
    application,
    metadata,
    selector,
)
from crossfade.infra.kubernetes.sides import Sides, sides
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import Autoscaling


def services(file: MigrationFile) -> list[Object]:
    """One for each side. Argo's controller adds the pod hash of the side to the selector."""
    pair: Sides = sides(file)
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(file, name),
            "spec": {
                "type": "ClusterIP",
                "selector": selector(file),
                "ports": [{"name": HTTP, "port": SERVICE_PORT, "targetPort": HTTP, "protocol": "TCP"}],
            },
        }
        for name in (pair.old, pair.new)
    ]


def availability(file: MigrationFile) -> list[Object]:
    """Drained nodes take one pod at a time; busy pods get company where the file says so."""
    budget: Object = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(file, application(file)),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(file)},
        },
    }
    scaling = file.kubernetes.autoscaling
    return [budget] if scaling is None else [budget, _autoscaler(file, scaling)]


def network_policy(file: MigrationFile) -> Object:
    """Pods are asked at their port and nowhere else. Whom they ask is not known here, and not limited."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(file, application(file)),
        "spec": {
            "podSelector": {"matchLabels": selector(file)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": HTTP}]}],
        },
    }


def _autoscaler(file: MigrationFile, scaling: Autoscaling) -> Object:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(file, application(file)),
        "spec": {
            "scaleTargetRef": {"apiVersion": ROLLOUTS_API, "kind": "Rollout", "name": application(file)},
            "minReplicas": file.kubernetes.replicas,
            "maxReplicas": scaling.max_replicas,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": scaling.cpu_percent},
                    },
                }
            ],
        },
    }
