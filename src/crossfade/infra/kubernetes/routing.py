"""What splits requests by weight, one function each: the part of the Rollout that names it, and the object itself."""

from collections.abc import Callable

from crossfade.infra.kubernetes.names import HTTP, SERVICE_PORT, Object, application, host, metadata
from crossfade.infra.kubernetes.sides import by_weight, sides
from crossfade.infra.kubernetes.weights import PERCENT, THOUSANDTHS, whole
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import Routing

READS, WRITES = "reads", "writes"
"""Istio's routes. They have the same weights; only reads can be mirrored."""
GATEWAY_PLUGIN = "argoproj-labs/gatewayAPI"


def traffic_routing(file: MigrationFile) -> Object:
    """`trafficRouting` of a canary."""
    found: Object = {} if whole(file) == PERCENT else {"maxTrafficWeight": THOUSANDTHS}
    name = application(file)
    routes: dict[Routing, Object] = {
        # no stickiness: a load balancer would keep to it when the share falls to 0, even to a side without pods
        Routing.ALB: {"alb": {"ingress": name, "servicePort": SERVICE_PORT}},
        Routing.NGINX: {"nginx": {"stableIngress": name}},
        Routing.ISTIO: {"istio": {"virtualService": {"name": name, "routes": [READS, WRITES]}}},
        Routing.GATEWAY_API: {"plugins": {GATEWAY_PLUGIN: {"httpRoute": name, "namespace": file.kubernetes.namespace}}},
    }
    return found | routes[file.kubernetes.routing]


def entrance(file: MigrationFile) -> Object:
    """The object by which users come in. Its weights are Argo's to change."""
    return _ENTRANCES[file.kubernetes.routing](file)


def _alb(file: MigrationFile) -> Object:
    """With weights, the load balancer asks Argo's annotation which service gets what; else the active one gets all."""
    port: Object = {"name": "use-annotation"} if by_weight(file) else {"name": HTTP}
    balancer = file.target.load_balancer
    annotations = {
        "alb.ingress.kubernetes.io/scheme": "internal" if balancer.internal else "internet-facing",
        "alb.ingress.kubernetes.io/target-type": "ip",
        "alb.ingress.kubernetes.io/healthcheck-path": file.kubernetes.health_path,
    }
    if balancer.certificate is not None:
        annotations |= {
            "alb.ingress.kubernetes.io/certificate-arn": balancer.certificate,
            "alb.ingress.kubernetes.io/listen-ports": '[{"HTTPS": 443}]',
        }
    return _ingress(file, "alb", port, annotations)


def _nginx(file: MigrationFile) -> Object:
    return _ingress(file, "nginx", {"name": HTTP}, {})


def _ingress(file: MigrationFile, kind: str, port: Object, annotations: dict[str, str]) -> Object:
    backend = {"service": {"name": sides(file).old, "port": port}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(file, application(file), annotations),
        "spec": {"ingressClassName": kind, "rules": [{"host": host(file), "http": {"paths": paths}}]},
    }


def _istio(file: MigrationFile) -> Object:
    reading = [{"method": {"exact": method}} for method in ("GET", "HEAD")]
    http: list[Object] = [
        {"name": READS, "match": reading, "route": _destinations(file)},
        {"name": WRITES, "route": _destinations(file)},
    ]
    return {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": metadata(file, application(file)),
        "spec": {"hosts": [host(file)], "gateways": [file.kubernetes.gateway], "http": http},
    }


def _destinations(file: MigrationFile) -> list[Object]:
    pair = sides(file)
    return [
        {"destination": {"host": service, "port": {"number": SERVICE_PORT}}, "weight": weight}
        for service, weight in _weighted(file, pair.old, pair.new)
    ]


def _gateway_api(file: MigrationFile) -> Object:
    pair = sides(file)
    backends = [
        {"name": service, "port": SERVICE_PORT, "weight": weight}
        for service, weight in _weighted(file, pair.old, pair.new)
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata(file, application(file)),
        "spec": {
            "parentRefs": [{"name": file.kubernetes.gateway}],
            "hostnames": [host(file)],
            "rules": [{"backendRefs": backends}],
        },
    }


def _weighted(file: MigrationFile, old: str, new: str) -> tuple[tuple[str, int], ...]:
    """Everybody on the old side. Blue-green has no weights: Argo moves the selector of the one service."""
    return ((old, PERCENT), (new, 0)) if by_weight(file) else ((old, PERCENT),)


_ENTRANCES: dict[Routing, Callable[[MigrationFile], Object]] = {
    Routing.ALB: _alb,
    Routing.NGINX: _nginx,
    Routing.ISTIO: _istio,
    Routing.GATEWAY_API: _gateway_api,
}
