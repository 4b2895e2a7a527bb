"""The router port on Argo Rollouts: Crossfade leads a Rollout share by share, through the Kubernetes API.

The wanted share is the status' step, so it outlasts every controller and every engine. Each order is noted on the
Rollout before it is carried out, and each change names the version it is made to: of two engines the later order wins.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side
from crossfade.traffic.errors import Conflict, MirrorNotOffered, NotFullyShifted
from crossfade.traffic.kubernetes import KubernetesApi
from crossfade.traffic.mirrored import mirrored_percent, with_mirror
from crossfade.traffic.port import RouterUnreachable, SharesNotTaken, as_percent, in_order
from crossfade.traffic.rollout import HASH_LABEL, ORDER, TARGET, Led

_ROLLOUTS = ("argoproj.io/v1alpha1", "rollouts")
_ROUTES = ("networking.istio.io/v1beta1", "virtualservices")
_LOOK_AGAIN = timedelta(milliseconds=500)


class ArgoRouter:
    """One Rollout, written by `crossfade manifests` with `kubernetes.judged_by: crossfade`.

    `timeout` is how long pods may take to be there for a share. No instance holds state of its own.
    """

    def __init__(
        self,
        api: KubernetesApi,
        name: str,
        *,
        timeout: timedelta = timedelta(minutes=2),
        look_again: timedelta = _LOOK_AGAIN,
    ) -> None:
        self._api, self._name = api, name
        self._timeout_s, self._look_again_s = timeout.total_seconds(), look_again.total_seconds()

    def shares(self) -> Shares | NoData:
        try:
            return self._said(self._read())
        except CrossfadeError as failure:
            return NoData(reason=str(failure))

    def set_shares(self, canary_percent: float, order: int | None = None) -> Shares:
        """See the port. Raises besides `ShareNotOnLadder`, `NotLed`, `NothingToShift` and those of the API.

        To 0 is an abort: everybody goes back at once, and the new pods drain and end. `spec.template` stays the new
        one: what is asked for next begins the ladder again, and who wants the old one back reverts the manifests.
        """
        wanted = as_percent(canary_percent)
        return self._become(wanted, lambda led: led.towards(wanted), order)

    def mirror(self, percent: float, order: int | None = None) -> None:
        """See the port. Istio alone can, and only reads are copied. Raises besides `MirrorNotOffered`."""
        wanted = as_percent(percent)
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                led = self._ordered(order)
                route = self._route(led)
                if route is None:
                    if wanted:
                        raise MirrorNotOffered(self._name)
                    return
                if mirrored_percent(route) != wanted:
                    in_order(order, Led(route).order)
                    self._api.merge(*_ROUTES, str(route["metadata"]["name"]), with_mirror(route, wanted, order))
            except Conflict:
                self._wait(deadline)
            else:
                return

    def drained(self, side: Side) -> bool | NoData:
        """True when no pod of the side is left; while it gets requests, False. Kubernetes counts no requests."""
        try:
            led = self._read()
            said = self._said(led)
            if isinstance(said, NoData):
                return said
            if (said.canary_percent if side is Side.TARGET else 100 - said.canary_percent) > 0:
                return False
            pods = led.target if side is Side.TARGET else led.stable
            if not pods or self._api.pods(f"{HASH_LABEL}={pods}") == 0:
                return True
        except CrossfadeError as failure:
            return NoData(reason=str(failure))
        return NoData(reason="pods of that side still run, and Kubernetes does not tell their requests")

    def abort(self, order: int | None = None) -> Shares:
        """Everybody is on the stable pods, also when the Rollout goes on by itself or is at no share of a ladder."""
        return self._become(0.0, lambda led: None if led.aborted else led.backwards(), order)

    def promote(self, order: int | None = None) -> Shares:
        """The new pods become the stable ones, and the old ones end after `traffic.keep_warm`: nothing goes back then.

        Raises `NotFullyShifted` unless everybody has moved.
        """

        def end(led: Led) -> Mapping[str, Any] | None:
            led.require_led()
            said = led.shares()
            if isinstance(said, Shares) and said.canary_percent < 100:
                raise NotFullyShifted(said.canary_percent)
            return led.to_the_end() if led.status.get("currentStepIndex") != len(led.steps) else None

        return self._become(100.0, end, order, done=lambda led: led.stable == led.current == led.target)

    def _become(
        self,
        percent: float,
        patch_of: Callable[[Led], Mapping[str, Any] | None],
        order: int | None,
        *,
        done: Callable[[Led], bool] = lambda _: True,
    ) -> Shares:
        """Asks for it until the controller says that it is so: it may have overwritten it with what it saw before."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                led = self._ordered(order)
                said = self._said(led)
                reached = isinstance(said, Shares) and said.canary_percent == percent and done(led)
                unknown = bool(led.stale) and percent > 0  # up only on what the controller knows; down in any case
                patch = None if unknown or (reached and led.at_rest) else patch_of(led)
                # what is reached may not be what is wanted: another share would come when its pods are there
                if reached and patch is None and isinstance(said, Shares):
                    return said
                if patch is not None:
                    version = {"resourceVersion": led.version}
                    self._api.merge_status(*_ROLLOUTS, self._name, {"metadata": version, "status": patch})
            except Conflict:
                self._wait(deadline)
                continue
            if time.monotonic() >= deadline:
                if led.stale:
                    raise RouterUnreachable(self._api.server, led.stale)
                raise SharesNotTaken(Shares(canary_percent=percent), str(said))
            time.sleep(self._look_again_s)  # the controller works at its own pace; the deadline stands above

    def _ordered(self, order: int | None) -> Led:
        """The Rollout, with the order noted on it. Raises `Overtaken`."""
        led = self._read()
        present = in_order(order, led.order)
        noted = {ORDER: str(present)} if present != led.order else {}
        annotations = (led.thing.get("metadata") or {}).get("annotations") or {}
        if led.target and annotations.get(TARGET) != led.target:
            noted[TARGET] = led.target
        if not noted:
            return led
        change = {"metadata": {"resourceVersion": led.version, "annotations": noted}}
        return Led(self._api.merge(*_ROLLOUTS, self._name, change))

    def _wait(self, deadline: float) -> None:
        """Raises `Conflict` when it is too late to try again."""
        if time.monotonic() >= deadline:
            raise Conflict(self._api.server, f"the Rollout {self._name} is changed all the time")
        time.sleep(self._look_again_s)  # somebody else changes it just now

    def _read(self) -> Led:
        return Led(self._api.get(*_ROLLOUTS, self._name))

    def _said(self, led: Led) -> Shares | NoData:
        said = led.shares()
        if isinstance(said, NoData):
            return said
        route = self._route(led)
        mirrored = 0.0 if route is None else mirrored_percent(route)
        return Shares(canary_percent=said.canary_percent, mirror_percent=mirrored)

    def _route(self, led: Led) -> Mapping[str, Any] | None:
        name = led.virtual_service
        return None if name is None else self._api.get(*_ROUTES, name)
