"""The two databases in their simplest form: the role's in-memory adapter in virtual time."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from crossfade.database.memory import InMemoryDatabase
from crossfade.model.seen import SwitchReport
from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub


class PlainServer:
    """One side of `PlainDatabase`."""

    def __init__(self, hub: Hub, side: Side, database: "PlainDatabase") -> None:
        self.side, self._hub, self._database = side, hub, database
        self.up = True
        self.on_grant_change: list[Callable[[Any], None]] = []

    def crash(self) -> None:
        self.up = False
        self._database.unreachable(self.side)

    def start(self) -> None:
        self.up = True
        self._database.unreachable(self.side, back=True)

    def app_may_write(self) -> bool:
        return self._database.sides[self.side].open

    def write(self, key: str, *, role: str, seconds: float, done: Callable[[str], None]) -> None:
        del role
        self._hub.after(seconds, lambda: done(self._written(key)))

    def _written(self, key: str) -> str:
        state = self._database.sides[self.side]
        if not self.up:
            return "failed"
        if not state.open:
            return "refused"
        state.rows[key] = key
        self._database.carry()
        return "committed"

    def committed(self) -> Mapping[str, int]:
        return dict.fromkeys(self._database.sides[self.side].rows, 1)


class PlainDatabase(InMemoryDatabase):
    """The role's in-memory adapter, with time passing at each point of a switch."""

    def __init__(self, hub: Hub, rng: Random, at: Callable[[str], None]) -> None:
        super().__init__()
        self._hub, self._rng = hub, rng
        self._outer_at = at
        self.servers = {side: PlainServer(hub, side, self) for side in Side}
        self.at = self._pass

    def carry(self) -> None:
        if self._copied():
            self._carry()

    def _pass(self, point: str) -> None:
        for server in self.servers.values():
            for listener in server.on_grant_change:
                listener(server)
        self._outer_at(point)
        self._hub.sleep(self._rng.uniform(0.0005, 0.01))

    def switch(self, to: Side, epoch: int) -> SwitchReport:
        self._hub.sleep(self._rng.uniform(0.02, 0.3))
        return super().switch(to, epoch)
