"""All manifests of a migration file, as documents of one folder."""

from crossfade.infra.kubernetes.access import access
from crossfade.infra.kubernetes.analysis import watch_template, weighted_templates
from crossfade.infra.kubernetes.checks import checks_template
from crossfade.infra.kubernetes.names import Object, application
from crossfade.infra.kubernetes.rendering import rendered
from crossfade.infra.kubernetes.rollout import rollout
from crossfade.infra.kubernetes.routing import entrance
from crossfade.infra.kubernetes.services import availability, network_policy, services
from crossfade.infra.kubernetes.sides import by_weight
from crossfade.infra.premises.document import Document
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import StepJudge

KUSTOMIZATION = "kustomization.yaml"


def manifests(file: MigrationFile) -> tuple[Document, ...]:
    """The same file gives the same text. `demands` must be met."""
    objects = parts(file)
    kustomization: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": file.kubernetes.namespace,
        "resources": list(objects),
    }
    written = {**objects, KUSTOMIZATION: [kustomization]}
    return tuple(Document(path=path, text=rendered(_header(file), found)) for path, found in written.items())


def parts(file: MigrationFile) -> dict[str, list[Object]]:
    """The objects by file name, in the order in which they are applied: what is referred to comes first."""
    found = {"services.yaml": services(file), "routing.yaml": [entrance(file)]}
    if file.kubernetes.judged_by is StepJudge.CROSSFADE:
        found["access.yaml"] = access(file)
    else:
        found["analysis.yaml"] = (
            weighted_templates(file) if by_weight(file) else [checks_template(file), watch_template(file)]
        )
    return found | {
        "rollout.yaml": [rollout(file)],
        "availability.yaml": availability(file),
        "network-policy.yaml": [network_policy(file)],
    }


def _header(file: MigrationFile) -> str:
    return (
        f"Written by `crossfade manifests` from the migration file of {application(file)}.\n"
        "Change that file and write this anew; what is changed here is not written over, and no longer fits."
    )
