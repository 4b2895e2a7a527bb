"""What Crossfade itself may do in the namespace where it leads the rollout: that and no more."""

from crossfade.infra.kubernetes.names import Object, application, metadata
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import Routing

_RBAC = "rbac.authorization.k8s.io"


def access(file: MigrationFile) -> list[Object]:
    """An account, a role for this one Rollout, and the binding of the two."""
    name, role = f"{application(file)}-crossfade", f"{application(file)}-crossfade"
    account: Object = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(file, name)}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": file.kubernetes.namespace}
    binding: Object = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata(file, role),
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": role},
        "subjects": [subject],
    }
    granted: Object = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": metadata(file, role),
        "rules": _rules(file),
    }
    return [account, granted, binding]


def _rules(file: MigrationFile) -> list[Object]:
    name = application(file)
    rules: list[Object] = [
        _rule("argoproj.io", ["rollouts"], ["get", "patch"], name),
        _rule("argoproj.io", ["rollouts/status"], ["patch"], name),
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},  # a list cannot be limited to names
    ]
    if file.kubernetes.routing is Routing.ISTIO:
        rules.append(_rule("networking.istio.io", ["virtualservices"], ["get", "patch"], name))
    return rules


def _rule(group: str, resources: list[str], verbs: list[str], name: str) -> Object:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs, "resourceNames": [name]}
