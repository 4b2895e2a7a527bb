"""The Rollout: the pods, and how a new version of them takes over."""

from crossfade.infra.kubernetes.analysis import GUARDS, WATCH, template_name, watched_for
from crossfade.infra.kubernetes.arguments import analysis_arguments
from crossfade.infra.kubernetes.checks import CHECKS
from crossfade.infra.kubernetes.names import (
    ROLLOUTS_API,
    Object,
    application,
    metadata,
    selector,
    whole_seconds,
)
from crossfade.infra.kubernetes.pods import pod_template
from crossfade.infra.kubernetes.routing import traffic_routing
from crossfade.infra.kubernetes.sides import by_weight, sides
from crossfade.infra.kubernetes.steps import steps
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import StepJudge

_FIRST_BAKED_STEP = 1
"""The guards begin when the first share is set: before it there is nothing to see."""
_SPARE_S = 60
"""Between the last measurement of a watch and the end of the pods that it may still send everybody back to."""


def rollout(file: MigrationFile) -> Object:
    spec: Object = {} if file.kubernetes.autoscaling else {"replicas": file.kubernetes.replicas}
    judged = file.kubernetes.judged_by is StepJudge.ARGO
    return {
        "apiVersion": ROLLOUTS_API,
        "kind": "Rollout",
        "metadata": metadata(file, application(file)),
        "spec": spec
        | {
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "progressDeadlineAbort": judged,  # where Crossfade leads, it alone takes users back
            "selector": {"matchLabels": selector(file)},
            "strategy": {"canary": _canary(file)} if by_weight(file) else {"blueGreen": _blue_green(file)},
            "template": pod_template(file),
        },
    }


def _canary(file: MigrationFile) -> Object:
    """The old side keeps its size whatever the share, so that all can return at once."""
    services = sides(file)
    found: Object = {
        "stableService": services.old,
        "canaryService": services.new,
        "maxSurge": "25%",
        "maxUnavailable": 0,
        "dynamicStableScale": False,
        "scaleDownDelaySeconds": whole_seconds(file.traffic.keep_warm),
        "abortScaleDownDelaySeconds": whole_seconds(file.traffic.drain_timeout),
        "trafficRouting": traffic_routing(file),
    }
    if file.kubernetes.judged_by is StepJudge.ARGO:
        found["analysis"] = {
            "templates": [{"templateName": template_name(file, GUARDS)}],
            "startingStep": _FIRST_BAKED_STEP,
            "args": analysis_arguments(),
        }
    return found | {"steps": steps(file)}


def _blue_green(file: MigrationFile) -> Object:
    """Checks, then everybody at once, then a watch during which all can return at once.

    With `autoPromotionEnabled: false` Argo ignores `autoPromotionSeconds`: so the latter stands only beside true.
    """
    settings, services = file.traffic.blue_green, sides(file)
    found: Object = {
        "activeService": services.old,
        "previewService": services.new,
        "autoPromotionEnabled": settings.promote_automatically,
    }
    if settings.promote_automatically:
        found["autoPromotionSeconds"] = whole_seconds(settings.preview)
    return found | {
        "scaleDownDelaySeconds": max(
            whole_seconds(file.traffic.keep_warm), whole_seconds(watched_for(file)) + _SPARE_S
        ),
        "abortScaleDownDelaySeconds": whole_seconds(file.traffic.drain_timeout),
        "prePromotionAnalysis": {"templates": [{"templateName": template_name(file, CHECKS)}]},
        "postPromotionAnalysis": {
            "templates": [{"templateName": template_name(file, WATCH)}],
            "args": analysis_arguments(),
        },
    }
