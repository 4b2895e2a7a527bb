"""The ladder of the file as steps of a canary."""

from datetime import timedelta

from crossfade.infra.kubernetes.analysis import BASELINE, LIMITS, template_name
from crossfade.infra.kubernetes.arguments import analysis_arguments
from crossfade.infra.kubernetes.names import Object, seconds
from crossfade.infra.kubernetes.weights import weight, whole
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import StepJudge


def steps(file: MigrationFile) -> list[Object]:
    """Every share of the ladder, in order. Each bakes and is analysed, or waits for Crossfade."""
    if file.kubernetes.judged_by is StepJudge.CROSSFADE:
        return _led_steps(file)
    return _judged_steps(file)


def _judged_steps(file: MigrationFile) -> list[Object]:
    found: list[Object] = []
    for share, bake in file.traffic.steps():
        found += [
            {"setWeight": weight(share, whole(file))},
            {"pause": {"duration": seconds(bake)}},
            {"analysis": _analysis(file, share, bake - file.traffic.warm_up)},
        ]
    return found


def _led_steps(file: MigrationFile) -> list[Object]:
    """Full size from the beginning, nobody there yet; then a pause without end at each share.

    The scale comes first and stays: a controller that looks back from any step finds it, and never takes pods away
    because a share changes. Source: Argo Rollouts, `UseSetCanaryScale`.
    """
    shares = [share for share, _ in file.traffic.steps()]
    found: list[Object] = [{"setCanaryScale": {"weight": 100}}]
    for share in shares if shares[0] == 0 else [0.0, *shares]:
        found += [{"setWeight": weight(share, whole(file))}, {"pause": {}}]
    return found


def _analysis(file: MigrationFile, share: float, window: timedelta) -> Object:
    """At 100 % nobody is left to compare with: there the absolute limits decide alone."""
    templates = [LIMITS] if share == 100 else [LIMITS, BASELINE]
    return {
        "templates": [{"templateName": template_name(file, one)} for one in templates],
        "args": analysis_arguments(window=window),
    }
