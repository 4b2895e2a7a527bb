"""What Argo's controller does with a Rollout of strategy `canary`, pass by pass.

Source: argoproj/argo-rollouts, rollout/canary.go, rollout/trafficrouting.go, utils/replicaset/canary.go.
"""

import copy
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

Thing = dict[str, Any]
PAUSED = "CanaryPauseStep"


@dataclass
class Controller:
    """`running`: off, nothing is reconciled. `pods` by hash; `broken` hashes never become available."""

    running: bool = True
    pods: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    shifted: list[int] = field(default_factory=list)
    """Every weight that was set, in order."""
    abort_keeps_pods: bool = False

    def reconcile(self, rollout: Thing) -> bool:
        """One pass; whether it changed anything."""
        if not self.running:
            return False
        before = copy.deepcopy(rollout.get("status", {})), dict(self.pods)
        status = rollout.setdefault("status", {})
        current, steps = _hash(rollout["spec"]["template"]), rollout["spec"]["strategy"]["canary"]["steps"]
        if (status.get("currentPodHash"), status.get("currentStepHash")) != (current, _hash(steps)):
            self._begin(rollout, current, _hash(steps))
        else:
            self._pass(rollout)
        status["observedGeneration"] = str(rollout["metadata"]["generation"])
        return before != (status, self.pods)

    def _begin(self, rollout: Thing, current: str, step_hash: str) -> None:
        """A new template or other steps: from the beginning, whatever was aborted or paused; never at first."""
        status, steps = rollout["status"], rollout["spec"]["strategy"]["canary"]["steps"]
        first = "stableRS" not in status
        if first:
            status["stableRS"] = current
            self.pods[current] = _replicas(rollout)
        for gone in ("pauseConditions", "abort", "promoteFull"):
            status.pop(gone, None)
        rested = first or status["stableRS"] == current
        status |= {
            "currentPodHash": current,
            "currentStepHash": step_hash,
            "currentStepIndex": len(steps) if rested else 0,
            "controllerPause": False,
        }

    def _pass(self, rollout: Thing) -> None:
        status, steps = rollout["status"], rollout["spec"]["strategy"]["canary"]["steps"]
        stable, current = status["stableRS"], status["currentPodHash"]
        self._shift(rollout, self._weight(rollout))
        if stable == current:
            return
        self._scale(rollout)
        if status.get("abort"):
            status |= {"currentStepIndex": 0, "controllerPause": False}
            status.pop("pauseConditions", None)
            return
        index = status["currentStepIndex"]
        if index >= len(steps):
            if self._available(current) >= _replicas(rollout):
                status["stableRS"] = current
                self.pods[stable] = 0
            return
        self._step(rollout, steps[index])

    def _step(self, rollout: Thing, step: Thing) -> None:
        status = rollout["status"]
        conditions = [one for one in status.get("pauseConditions", ()) if one["reason"] == PAUSED]
        if "pause" in step:
            ended = status["controllerPause"] and not conditions
            if not ended and not conditions:
                status["pauseConditions"] = [{"reason": PAUSED, "startTime": "2026-01-01T00:00:00Z"}]
        else:
            ended = self._ready(rollout)
        if ended:
            status["currentStepIndex"] += 1
            status.pop("pauseConditions", None)
        status["controllerPause"] = bool(status.get("pauseConditions"))

    def _weight(self, rollout: Thing) -> int:
        """Source: `reconcileTrafficRouting`."""
        status, canary = rollout["status"], rollout["spec"]["strategy"]["canary"]
        current, steps, index = status["currentPodHash"], canary["steps"], status["currentStepIndex"]
        if status["stableRS"] == current or status.get("abort") or self._available(current) == 0:
            return 0
        if not self._ready(rollout):
            return _last(steps[:index], "setWeight") or 0
        if index < len(steps):
            return _last(steps[: index + 1], "setWeight") or 0
        return _whole(rollout)

    def _shift(self, rollout: Thing, weight: int) -> None:
        status = rollout["status"]
        weights = {
            "canary": {"weight": weight, "podTemplateHash": status["currentPodHash"]},
            "stable": {"weight": _whole(rollout) - weight, "podTemplateHash": status["stableRS"]},
        }
        canary = status.setdefault("canary", {})
        if canary.get("weights") != weights:
            canary["weights"] = weights
            self.shifted.append(weight)

    def _scale(self, rollout: Thing) -> None:
        """One pod a pass, as if each took a while."""
        current = rollout["status"]["currentPodHash"]
        wanted, there = self._wanted(rollout), self.pods.get(current, 0)
        if rollout["status"].get("abort") and self.abort_keeps_pods:
            return
        self.pods[current] = there + (wanted > there) if wanted >= there else wanted

    def _wanted(self, rollout: Thing) -> int:
        status, steps = rollout["status"], rollout["spec"]["strategy"]["canary"]["steps"]
        if status.get("abort"):
            return 0
        index = status["currentStepIndex"]
        if index >= len(steps):
            return _replicas(rollout)
        scale = _last(steps[: index + 1], "setCanaryScale")
        share = scale["weight"] / 100 if scale else (_last(steps[: index + 1], "setWeight") or 0) / _whole(rollout)
        return math.ceil(_replicas(rollout) * share)

    def _available(self, pods: str) -> int:
        return 0 if pods in self.broken else self.pods.get(pods, 0)

    def _ready(self, rollout: Thing) -> bool:
        return self._available(rollout["status"]["currentPodHash"]) == self._wanted(rollout)


def _last(steps: list[Thing], kind: str) -> Any:
    return next((step[kind] for step in reversed(steps) if kind in step), None)


def _replicas(rollout: Thing) -> int:
    return int(rollout["spec"].get("replicas", 1))


def _whole(rollout: Thing) -> int:
    return int(rollout["spec"]["strategy"]["canary"]["trafficRouting"].get("maxTrafficWeight", 100))


def _hash(thing: Any) -> str:
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode()).hexdigest()[:10]
