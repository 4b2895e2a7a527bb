"""Istio's VirtualService, as far as copies of reads are concerned. Pure.

Argo Rollouts changes its weights and leaves the rest; so the mirror stands beside them in the route of the reads.
"""

import copy
from collections.abc import Mapping
from typing import Any

from crossfade.traffic.errors import MirrorNotOffered
from crossfade.traffic.rollout import ORDER

READS = "reads"
_MIRROR, _PERCENT = "mirror", "mirrorPercentage"


def mirrored_percent(service: Mapping[str, Any]) -> float:
    """How many of the reads are copied; 0 where no route of that name is there."""
    for route in (service.get("spec") or {}).get("http") or ():
        if route.get("name") == READS and _MIRROR in route:
            return float((route.get(_PERCENT) or {}).get("value", 100))
    return 0.0


def with_mirror(service: Mapping[str, Any], percent: float, order: int | None) -> Mapping[str, Any]:
    """The patch by which that share of the reads is copied to the new side, if nobody has changed the object since.

    Raises `MirrorNotOffered` when no route is that of reads alone.
    """
    metadata = service["metadata"]
    http = copy.deepcopy((service.get("spec") or {}).get("http") or [])
    reads = [route for route in http if route.get("name") == READS and _only_reads(route)]
    if not reads:
        raise MirrorNotOffered(str(metadata.get("name", "")))
    for route in reads:
        route.pop(_MIRROR, None)
        route.pop(_PERCENT, None)
        if percent:
            route[_MIRROR] = route["route"][-1]["destination"]
            route[_PERCENT] = {"value": percent}
    noted = {} if order is None else {"annotations": {ORDER: str(order)}}
    return {"metadata": {"resourceVersion": metadata["resourceVersion"], **noted}, "spec": {"http": http}}


def _only_reads(route: Mapping[str, Any]) -> bool:
    """A copy of a write would be written twice."""
    methods = [(match.get("method") or {}).get("exact") for match in route.get("match") or ()]
    return bool(methods) and set(methods) <= {"GET", "HEAD"}
