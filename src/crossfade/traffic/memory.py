"""A router without a network, for whoever needs one that does as it is told."""

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side
from crossfade.traffic.port import RouterUnreachable, as_percent, in_order


class InMemoryRouter:
    """Keeps its shares over `stop` and `start`, as a router does that writes them down.

    `in_flight` are the requests each side still works on: set it to see what waits for a drain. Shares asked for
    while it is stopped hold once it starts again.
    """

    def __init__(self) -> None:
        self.running = True
        self.in_flight = {Side.SOURCE: 0, Side.TARGET: 0}
        self.history: list[Shares] = []
        self._shares = Shares(canary_percent=0.0)
        self._order = 0

    def stop(self) -> None:
        self.running = False

    def start(self) -> None:
        self.running = True

    def shares(self) -> Shares | NoData:
        return self._shares if self.running else NoData(reason="the router is stopped")

    def set_shares(self, canary_percent: float, order: int | None = None) -> Shares:
        wanted = as_percent(canary_percent)
        self._order = in_order(order, self._order)
        return self._become(Shares(canary_percent=wanted, mirror_percent=self._shares.mirror_percent))

    def mirror(self, percent: float, order: int | None = None) -> None:
        wanted = as_percent(percent)
        self._order = in_order(order, self._order)
        self._become(Shares(canary_percent=self._shares.canary_percent, mirror_percent=wanted))

    def drained(self, side: Side) -> bool | NoData:
        return self.in_flight[side] == 0 if self.running else NoData(reason="the router is stopped")

    def _become(self, wanted: Shares) -> Shares:
        self._shares = wanted
        if not self.running:
            raise RouterUnreachable("memory:", "it is stopped")
        self.history.append(wanted)
        return wanted
