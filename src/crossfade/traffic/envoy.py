"""The router port on Envoy: shares by runtime weights on disk, checked by what Envoy itself then says."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote, urlsplit

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side
from crossfade.traffic import runtime
from crossfade.traffic.port import RouterUnreachable, SharesNotTaken, SharesNotWritten, as_percent

_CLUSTERS = {Side.SOURCE: (runtime.LEGACY,), Side.TARGET: (runtime.MODERN, runtime.MIRROR)}
_GAUGES = ("upstream_rq_active", "upstream_rq_pending_active")
_LOOK_AGAIN_S = 0.001


class EnvoyRouter:
    """One Envoy, started with the bootstrap of the rehearsal or any that reads the same runtime keys.

    `runtime_folder` is the folder whose link Envoy watches. What is wanted is written there first: an Envoy that is
    down comes up with it, and one that runs takes it up within a millisecond. No instance holds state of its own.
    """

    def __init__(self, admin_url: str, runtime_folder: Path, *, timeout: timedelta = timedelta(seconds=1)) -> None:
        self._admin_url = admin_url
        self._folder = runtime_folder
        self._timeout_s = timeout.total_seconds()

    def shares(self) -> Shares | NoData:
        try:
            return self._reported()
        except RouterUnreachable as down:
            return NoData(reason=str(down))
        except ValueError as wrong:
            return NoData(reason=f"the router's shares make no sense: {wrong}")

    def set_shares(self, canary_percent: float, order: int | None = None) -> Shares:
        """See the port. When the router is down the share is wanted all the same: it comes up with it."""
        canary = as_percent(canary_percent)
        return self._become(lambda: Shares(canary_percent=canary, mirror_percent=self._wanted().mirror_percent), order)

    def mirror(self, percent: float, order: int | None = None) -> None:
        """See the port. Only requests that change nothing (GET, HEAD) are mirrored: the router's routes see to that."""
        mirrored = as_percent(percent)
        self._become(lambda: Shares(canary_percent=self._wanted().canary_percent, mirror_percent=mirrored), order)

    def drained(self, side: Side) -> bool | NoData:
        gauges = [f"cluster.{cluster}.{gauge}" for cluster in _CLUSTERS[side] for gauge in _GAUGES]
        pattern = quote(f"^cluster\\.({'|'.join(_CLUSTERS[side])})\\.({'|'.join(_GAUGES)})$")
        try:
            stats = json.loads(self._get(f"/stats?format=json&type=Gauges&filter={pattern}"))["stats"]
            values = {stat["name"]: int(stat["value"]) for stat in stats if "name" in stat}
            return not any(values[gauge] for gauge in gauges)
        except RouterUnreachable as down:
            return NoData(reason=str(down))
        except (KeyError, TypeError, ValueError) as wrong:
            return NoData(reason=f"the router does not tell its requests in flight: {wrong!r}")

    def _wanted(self) -> Shares:
        """What stands on disk; if that is spoilt, what the router does; if neither is known, the safe side."""
        try:
            return runtime.read(self._folder)
        except ValueError:
            reported = self.shares()
            return Shares(canary_percent=0.0) if isinstance(reported, NoData) else reported

    def _become(self, wanted: Callable[[], Shares], order: int | None) -> Shares:
        """One at a time from reading what is wanted until what will be wanted is written."""
        try:
            with runtime.alone(self._folder):
                runtime.take_order(self._folder, order)
                written = runtime.write(self._folder, wanted())
        except OSError as failure:
            raise SharesNotWritten(self._folder, failure.strerror or type(failure).__name__) from failure
        try:
            return self._wait_until_it_says(written.shares)
        finally:
            runtime.forget(written.replaced)

    def _wait_until_it_says(self, wanted: Shares) -> Shares:
        deadline = time.monotonic() + self._timeout_s
        while (said := self._what_it_says()) != wanted:
            if time.monotonic() >= deadline:
                raise SharesNotTaken(wanted, str(said))
            time.sleep(_LOOK_AGAIN_S)
        return wanted

    def _what_it_says(self) -> Shares | str:
        try:
            return self._reported()
        except ValueError as wrong:
            return str(wrong)

    def _reported(self) -> Shares:
        """Raises `RouterUnreachable`, or ValueError when the router's weights are not shares."""
        body = self._get("/runtime")
        try:
            values = {key: entry["final_value"] for key, entry in json.loads(body)["entries"].items()}
        except (KeyError, TypeError, AttributeError, ValueError) as wrong:
            raise RouterUnreachable(self._admin_url, f"its runtime cannot be read ({wrong!r})") from wrong
        return runtime.parse(values)

    def _get(self, path: str) -> bytes:
        address = urlsplit(self._admin_url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=self._timeout_s)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as failure:
            raise RouterUnreachable(self._admin_url, str(failure) or type(failure).__name__) from failure
        finally:
            connection.close()
        if response.status != 200:
            raise RouterUnreachable(self._admin_url, f"status {response.status} for {path.partition('?')[0]}")
        return body
