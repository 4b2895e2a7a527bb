"""What can go wrong with a router on Kubernetes, beside what every router may say (port.py)."""

from crossfade.model.errors import CrossfadeError
from crossfade.traffic.port import RouterUnreachable


class ShareNotOnLadder(CrossfadeError):
    """A share was asked for that is no step of the Rollout."""

    remedy = "Write the manifests anew from the migration file that is carried out, and apply them."

    def __init__(self, percent: float, offered: tuple[float, ...]) -> None:
        self.percent, self.offered = percent, offered
        super().__init__(
            f"a share of {percent:g} % is no step of the Rollout, which has {', '.join(f'{s:g}' for s in offered)} %"
        )


class NotLed(CrossfadeError):
    """The Rollout goes on by itself."""

    remedy = "Set kubernetes.judged_by: crossfade, write the manifests anew and apply them."

    def __init__(self, name: str, found: str) -> None:
        self.name, self.found = name, found
        super().__init__(f"the Rollout {name} does not wait for Crossfade at each share: it has {found}")


class NothingToShift(CrossfadeError):
    """All pods of the Rollout are of one version."""

    remedy = "Apply the manifests with the new image first; they begin with nobody on it."

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the Rollout {name} has one version only, and nobody can be moved")


class NotFullyShifted(CrossfadeError):
    """Somebody is still on the old pods, which would be taken away."""

    remedy = "Set the share to 100 % first."

    def __init__(self, percent: float) -> None:
        self.percent = percent
        super().__init__(f"{percent:g} % have moved, and the rest would be moved with no check")


class MirrorNotOffered(CrossfadeError):
    """What splits the requests cannot copy them."""

    remedy = "Take kubernetes.routing: istio, or leave shadow.enabled out."

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no route of {name} that can be mirrored: Argo Rollouts has one with Istio alone")


class AccessRefused(CrossfadeError):
    """The Kubernetes API knows the caller not, or lets it not do this."""

    remedy = "Look at the credentials and at the Role of access.yaml: `kubectl auth can-i patch rollouts/status`."

    def __init__(self, method: str, path: str, status: int) -> None:
        self.method, self.path, self.status = method, path, status
        super().__init__(f"the Kubernetes API refuses {method} {path} with status {status}")


class NotThere(CrossfadeError):
    """The object is not in the namespace, or the cluster does not know its kind."""

    remedy = "Install Argo Rollouts, apply the manifests, and look at kubernetes.namespace."

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"the Kubernetes API has nothing at {path}")


class Conflict(RouterUnreachable):
    """Somebody else changes the object all the time."""

    remedy = "See who else changes the Rollout; then do the same again."


class ObjectRefused(CrossfadeError):
    """The Kubernetes API did not take a change for a valid one."""

    remedy = "Compare the version of Argo Rollouts in the cluster with the one that docs/kubernetes.md names."

    def __init__(self, path: str, status: int, reason: str) -> None:
        self.path, self.status, self.reason = path, status, reason
        super().__init__(f"the Kubernetes API refuses the change of {path} with status {status}: {reason}")


class ConnectionNotKnown(CrossfadeError):
    """How the cluster is reached cannot be read."""

    remedy = "Name a kubeconfig by KUBECONFIG, or run within the cluster with a service account."

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"{place}: {reason}")
