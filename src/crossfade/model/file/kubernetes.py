"""What the manifests for Argo Rollouts are written from. Source: docs/kubernetes.md."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Count, Port
from crossfade.model.file.section import Section
from crossfade.model.file.texts import HostName, Slug, Text, UrlPath, WebAddress

_LABEL = Form(r"[a-zA-Z_][a-zA-Z0-9_]*", "the name of a Prometheus label", 100)
_METRIC = Form(r"[a-zA-Z_:][a-zA-Z0-9_:]*", "the name of a Prometheus metric", 200)


class Routing(StrEnum):
    """What splits requests by the weights that Argo Rollouts sets."""

    ALB = "alb"
    NGINX = "nginx"
    ISTIO = "istio"
    GATEWAY_API = "gateway-api"


class StepJudge(StrEnum):
    """Who decides at each share of the ladder whether the next one comes."""

    ARGO = "argo"
    CROSSFADE = "crossfade"


class Autoscaling(Section):
    """More pods when they are busy."""

    max_replicas: Count
    """Most pods of each side; `replicas` is the least."""
    cpu_percent: Annotated[int, Field(ge=1, le=100)] = 70
    """Share of the CPU request above which there are more."""


class Kubernetes(Section):
    """What `crossfade manifests` writes."""

    namespace: Slug = "default"
    """Namespace."""
    judged_by: StepJudge = StepJudge.ARGO
    """`argo`: its controller climbs the ladder by AnalysisTemplates; `crossfade`: each share waits for Crossfade."""
    routing: Routing = Routing.ALB
    """What splits requests: `alb`, `nginx`, `istio` or `gateway-api`. Only Istio can mirror."""
    host: HostName | None = None
    """Name that users ask for; without it `traffic.dns.record` in `traffic.dns.zone`."""
    gateway: Slug | None = None
    """Gateway of the namespace that requests come in by, with `istio` and `gateway-api`."""
    replicas: Count = 3
    """Pods of each side."""
    autoscaling: Autoscaling | None = None
    """More pods when they are busy; without it there are always `replicas`."""
    port: Port = 8080
    """Port of the container."""
    health_path: UrlPath = "/health"
    """Path of the probes."""
    cpu: Annotated[str, Form(r"\d+(\.\d+)?m?", 'cores such as "2", or thousandths such as 500m', 20)] = "500m"
    """CPU request and limit."""
    memory: Annotated[str, Form(r"\d+(Ki|Mi|Gi)", "a size such as 512Mi", 20)] = "512Mi"
    """Memory request and limit."""
    prometheus: WebAddress | None = None
    """Address of Prometheus as Argo's controller reaches it; without it `metrics.url`, with `engine: prometheus`."""
    prometheus_token: Slug | None = None
    """Kubernetes Secret of the namespace whose key `token` opens Prometheus. Its name, never the token."""
    request_metric: Annotated[str, _METRIC] = "http_requests_total"
    """Prometheus counter of requests, with a `status` label."""
    latency_metric: Annotated[str, _METRIC] = "http_request_duration_seconds"
    """Prometheus histogram of durations in seconds, without the ending `_bucket`."""
    arm_label: Annotated[str, _LABEL] = "rollouts_pod_template_hash"
    """Label of both metrics that carries the pod label `rollouts-pod-template-hash`, and so tells the arms apart."""
    check_image: Text = "curlimages/curl:8.11.1"
    """Image with `sh` and `curl` that asks the new side's checks before a blue-green promotion."""
