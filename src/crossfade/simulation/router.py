"""The router of the simulation: users keep their side, what it was told is stored, and it may be away."""

from collections.abc import Callable
from random import Random

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side
from crossfade.simulation.hub import Hub
from crossfade.traffic.port import RouterUnreachable, SharesNotTaken, as_percent, in_order

_TAKES_UP = 0.08  # seconds from what is stored to what is done
_PATIENCE = 2.0


class SimulatedRouter:
    """The port. `on_change` is called with the share before and after whenever users are sent otherwise."""

    def __init__(self, hub: Hub, rng: Random) -> None:
        self._hub, self._rng = hub, rng
        self.up, self.percent, self.mirrored = True, 0.0, 0.0
        self.by_hand = False
        self._order = 0
        self._stored = Shares(canary_percent=0.0)
        self.on_change: list[Callable[[float, float], None]] = []

    # users, and what happens to it

    def arm_of(self, user: float) -> Side | None:
        """Where a user goes who stands at `user`, 0 to 100, in the order in which they move; None while it is away."""
        if not self.up:
            return None
        return Side.TARGET if user < self.percent else Side.SOURCE

    def stop(self) -> None:
        self.up = False

    def start(self) -> None:
        """It does again what is stored."""
        self.up = True
        self._take_up()

    def forget(self) -> None:
        """Restarted without what was stored. `by_hand` is True while listeners hear of it."""
        self._stored = Shares(canary_percent=0.0)
        self.by_hand = True
        self._take_up()
        self.by_hand = False

    # the port

    def shares(self) -> Shares | NoData:
        if not self.up:
            return NoData(reason="the router is away")
        return Shares(canary_percent=self.percent, mirror_percent=self.mirrored)

    def set_shares(self, canary_percent: float, order: int | None = None) -> Shares:
        self._hub.sleep(self._rng.uniform(0.001, 0.01))
        self._order = in_order(order, self._order)
        return self._become(
            Shares(canary_percent=as_percent(canary_percent), mirror_percent=self._stored.mirror_percent)
        )

    def mirror(self, percent: float, order: int | None = None) -> None:
        self._hub.sleep(self._rng.uniform(0.001, 0.01))
        self._order = in_order(order, self._order)
        self._become(Shares(canary_percent=self._stored.canary_percent, mirror_percent=as_percent(percent)))

    def drained(self, side: Side) -> bool | NoData:
        if not self.up:
            return NoData(reason="the router is away")
        return self.percent == (0.0 if side is Side.TARGET else 100.0) or self._rng.random() < 0.5

    def _become(self, wanted: Shares) -> Shares:
        self._stored = wanted
        self._hub.after(_TAKES_UP * self._rng.uniform(0.5, 1.5), self._take_up)
        deadline = self._hub.seconds + _PATIENCE
        while (found := self.shares()) != wanted:
            if self._hub.seconds > deadline:
                if isinstance(found, NoData):
                    raise RouterUnreachable("simulated:", found.reason)
                raise SharesNotTaken(wanted, f"{found.canary_percent} %")
            self._hub.sleep(0.05)
        return wanted

    def _take_up(self) -> None:
        if not self.up:
            return
        before, self.percent = self.percent, self._stored.canary_percent
        self.mirrored = self._stored.mirror_percent
        if before != self.percent:
            for listener in self.on_change:
                listener(before, self.percent)
