"""What manifests cannot do without although a migration file may leave it out, and what a person should know. Pure."""

from collections.abc import Iterator

from crossfade.infra.demands import Demand
from crossfade.infra.kubernetes.analysis import business_metrics, prometheus_address
from crossfade.infra.kubernetes.pods import secret_name
from crossfade.infra.kubernetes.sides import by_weight
from crossfade.infra.kubernetes.weights import FINE, PERCENT, THOUSANDTHS, shares, weight, whole
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import Routing, StepJudge

_NEEDS_GATEWAY = frozenset({Routing.ISTIO, Routing.GATEWAY_API})


def demands(file: MigrationFile) -> tuple[Demand, ...]:
    """All that is missing, together. Empty: manifests can be written."""
    return (*_image(file), *_prometheus(file), *_gateway(file), *_weights(file), *_autoscaling(file))


def notes(file: MigrationFile) -> tuple[str, ...]:
    """What must be there that manifests cannot bring, and what they do not say."""
    told = []
    if file.target.containers.secrets:
        told.append(
            f"the Secret {secret_name(file)} of the namespace must hold the keys "
            f"{', '.join(sorted(file.target.containers.secrets))}: none is written here"
        )
    if file.metrics.business and file.kubernetes.judged_by is StepJudge.ARGO and not _business(file):
        told.append("metrics.business is left out: its queries are not for Prometheus, or nothing is compared with")
    if by_weight(file):
        told.append("shares are of requests, not of users: Argo Rollouts deals each request anew")
    return tuple(told)


def _business(file: MigrationFile) -> bool:
    return business_metrics(file) and by_weight(file)


def _image(file: MigrationFile) -> Iterator[Demand]:
    if not file.target.containers.image:
        yield Demand(
            path=("target", "containers", "image"),
            problem="is not given, and the pods have no image",
            remedy="name the image of the new version",
        )


def _prometheus(file: MigrationFile) -> Iterator[Demand]:
    if file.kubernetes.judged_by is StepJudge.ARGO and prometheus_address(file) is None:
        yield Demand(
            path=("kubernetes", "prometheus"),
            problem="is not given, and Argo would have nobody to ask",
            remedy="write the address at which Argo's controller reaches Prometheus",
        )


def _gateway(file: MigrationFile) -> Iterator[Demand]:
    if file.kubernetes.routing in _NEEDS_GATEWAY and file.kubernetes.gateway is None:
        yield Demand(
            path=("kubernetes", "gateway"),
            problem=f"is not given, and {file.kubernetes.routing} would not know where requests come in",
            remedy="name the gateway of the namespace",
        )


def _weights(file: MigrationFile) -> Iterator[Demand]:
    routing = file.kubernetes.routing
    if not by_weight(file) or whole(file) == PERCENT:
        return
    path = ("traffic", "ladder")
    if routing not in FINE:
        broken = ", ".join(f"{share:g}" for share in shares(file) if share != round(share))
        yield Demand(
            path=path,
            problem=f"has shares that are no whole percents ({broken}), which {routing} cannot do",
            remedy=f"take whole percents, or kubernetes.routing: {' or '.join(sorted(FINE))}",
        )
    for share in shares(file):
        try:
            weight(share, THOUSANDTHS)
        except ValueError:
            yield Demand(
                path=path, problem=f"has the share {share:g}", remedy="take shares of a thousandth of a percent at most"
            )


def _autoscaling(file: MigrationFile) -> Iterator[Demand]:
    scaling = file.kubernetes.autoscaling
    if scaling is not None and scaling.max_replicas < file.kubernetes.replicas:
        yield Demand(
            path=("kubernetes", "autoscaling", "max_replicas"),
            problem=f"{scaling.max_replicas} is less than replicas {file.kubernetes.replicas}",
            remedy="set it to kubernetes.replicas or more",
        )
