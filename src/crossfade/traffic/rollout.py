"""What a Rollout of Argo Rollouts says of itself, and by which patches it is led. Pure.

Crossfade leads a Rollout whose steps are, for each share, `setWeight` and a `pause` without end. A share is reached by
setting `status.currentStepIndex`, as `kubectl argo rollouts promote` does when it skips a step, only to any share of
the ladder and not only to the next. Source: docs/adr/0018, pkg/kubectl-argo-rollouts/cmd of argoproj/argo-rollouts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData
from crossfade.traffic.errors import NothingToShift, NotLed, ShareNotOnLadder

ORDER = "crossfade/order"
"""Annotation: the newest order that was followed. See the router port."""
TARGET = "crossfade/target-pod-hash"
"""Annotation: the pods that users are led to. Without it, a Rollout at rest would not tell whether it has begun."""
HASH_LABEL = "rollouts-pod-template-hash"
PERCENT = 100


@dataclass(frozen=True, slots=True)
class Led:
    """One answer of the Kubernetes API about a Rollout. What is missing in it counts as not known."""

    thing: Mapping[str, Any]

    @property
    def version(self) -> str:
        return str(self._metadata.get("resourceVersion", ""))

    @property
    def order(self) -> int:
        kept = str(self._annotations.get(ORDER, ""))
        return int(kept) if kept.isdigit() else 0

    @property
    def aborted(self) -> bool:
        return bool(self.status.get("abort"))

    @property
    def stable(self) -> str:
        return str(self.status.get("stableRS", ""))

    @property
    def current(self) -> str:
        """The pods of `spec.template`, as far as the controller has seen it."""
        return str(self.status.get("currentPodHash", ""))

    @property
    def at_rest(self) -> bool:
        """All pods are of one version: before an update, and after it."""
        return self.stable == self.current

    @property
    def target(self) -> str:
        """The pods that users are led to; those that differ from the stable ones where nothing was noted yet."""
        noted = str(self._annotations.get(TARGET, ""))
        return self.current if self.current and self.current != self.stable else noted

    @property
    def status(self) -> Mapping[str, Any]:
        found = self.thing.get("status")
        return found if isinstance(found, Mapping) else {}

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        canary = self._canary
        found = canary.get("steps")
        return found if isinstance(found, list) else ()

    @property
    def virtual_service(self) -> str | None:
        """The name of Istio's object that splits the requests, if it is Istio that does."""
        istio = (self._canary.get("trafficRouting") or {}).get("istio") or {}
        name = (istio.get("virtualService") or {}).get("name")
        return None if name is None else str(name)

    @property
    def stale(self) -> str:
        """Why the status does not speak of the Rollout as it stands; empty if it does."""
        generation, observed = self._metadata.get("generation"), self.status.get("observedGeneration")
        if str(generation) == str(observed):
            return ""
        return f"the controller has looked at generation {observed or 'none'}, not yet at {generation}"

    def shares(self) -> Shares | NoData:
        """The weights that the controller says it has set. Before and after an update there are none to be set."""
        if self.stale:
            return NoData(reason=self.stale)
        if not self.stable or not self.current:
            return NoData(reason="the controller does not tell which pods are stable")
        if self.at_rest:
            return Shares(canary_percent=100.0 if self.stable == self.target else 0.0)
        weights = self._status_of_canary.get("weights")
        if not isinstance(weights, Mapping):
            return NoData(reason="the controller does not tell its weights")
        if weights.get("verified") is False:
            return NoData(reason="the load balancer does not show the weights that the controller has set")
        try:
            weight = int(weights["canary"]["weight"])
        except (KeyError, TypeError, ValueError):
            return NoData(reason="the controller's weights are none")
        return Shares(canary_percent=float(Fraction(weight * PERCENT, self._whole)))

    def require_led(self) -> None:
        """Raises `NotLed` unless every step is one that Crossfade waits at, and `NothingToShift` at rest."""
        kinds = [set(step) for step in self.steps]
        foreign = [min(kind) for kind in kinds if not kind <= {"setCanaryScale", "setWeight", "pause"}]
        timed = any((step.get("pause") or {}).get("duration") is not None for step in self.steps)
        if not self.steps or foreign or timed or "analysis" in self._canary:
            raise NotLed(self._name, ", ".join(foreign) or ("timed pauses" if timed else "no steps, or an analysis"))
        if self.at_rest:
            raise NothingToShift(self._name)

    def step_of(self, percent: float) -> int:
        """The index of the step that sets this share. Raises `ShareNotOnLadder`."""
        weight = Fraction(str(percent)) * self._whole / PERCENT
        for index, step in enumerate(self.steps):
            if "setWeight" in step and step["setWeight"] == weight:
                return index
        raise ShareNotOnLadder(percent, tuple(self._offered()))

    def towards(self, percent: float) -> Mapping[str, Any] | None:
        """The patch of the status that makes this share wanted; None where it is wanted already.

        Up: the step that sets the weight, which the controller carries out when enough pods are there. Down: the pause
        behind it, for there the weight is set at once, whatever the pods do. To 0: an abort, behind which the
        controller also takes the pods away, so that they drain. `pauseConditions` and `controllerPause` go together: a
        pause without conditions that was set counts as ended by a person, and the next share would come.
        Raises `NotLed`, `NothingToShift`, `ShareNotOnLadder`.
        """
        self.require_led()
        index = self.step_of(percent)
        at = int(self.status.get("currentStepIndex") or 0)
        if self.aborted:
            return None if percent == 0 else self._at_step(index) | {"abort": False}
        if at in {index, index + 1}:
            return None
        if percent == 0:
            return self.backwards() if at > index else None  # before the first share nobody has moved
        return self._at_step(index if index > at else index + 1)

    def backwards(self) -> Mapping[str, Any]:
        """The patch that gives everybody to the stable pods at once. `spec.template` stays the new one."""
        return {"abort": True}

    def to_the_end(self) -> Mapping[str, Any]:
        """The patch behind which no step is left: the new pods become the stable ones."""
        return self._at_step(len(self.steps))

    @staticmethod
    def _at_step(index: int) -> dict[str, Any]:
        return {"currentStepIndex": index, "pauseConditions": None, "controllerPause": False}

    def _offered(self) -> list[float]:
        return [float(Fraction(s["setWeight"] * PERCENT, self._whole)) for s in self.steps if "setWeight" in s]

    @property
    def _whole(self) -> int:
        routing = self._canary.get("trafficRouting") or {}
        return int(routing.get("maxTrafficWeight") or PERCENT)

    @property
    def _name(self) -> str:
        return str(self._metadata.get("name", ""))

    @property
    def _metadata(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.thing.get("metadata") or {}
        return found

    @property
    def _annotations(self) -> Mapping[str, Any]:
        return self._metadata.get("annotations") or {}

    @property
    def _canary(self) -> Mapping[str, Any]:
        strategy = (self.thing.get("spec") or {}).get("strategy") or {}
        found: Mapping[str, Any] = strategy.get("canary") or {}
        return found

    @property
    def _status_of_canary(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.status.get("canary") or {}
        return found
