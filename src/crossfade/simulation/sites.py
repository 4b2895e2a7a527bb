"""Servers, files, network and checks of the simulation: states that change with time and can be out of reach."""

from collections.abc import Callable
from random import Random

from crossfade.checks.memory import InMemoryChecks
from crossfade.files.memory import MemoryFiles
from crossfade.model.seen import CheckResult, ServerState
from crossfade.model.terms import NoData, Side, Suite
from crossfade.network.port import LinksDown
from crossfade.servers.memory import MemoryServers
from crossfade.simulation.hub import Hub

_SERVERS = ("web-1", "worker-1")
_RUNS_FOR_USERS = (ServerState.CUTTING_OVER, ServerState.CUTOVER, ServerState.DISCONNECTED)


class SimulatedServers(MemoryServers):
    """The port in virtual time: a launch takes a while, and what is half done is done when it is asked again."""

    def __init__(self, hub: Hub, rng: Random) -> None:
        super().__init__(_SERVERS)
        self._hub, self._rng = hub, rng

    def takes_users(self, side: Side) -> bool:
        if side is Side.SOURCE:
            return self.source_running
        return all(state in _RUNS_FOR_USERS for state in self._states.values())

    def replicate(self) -> None:
        self._after_a_while(super().replicate)

    def launch_test(self) -> None:
        self._after_a_while(super().launch_test)

    def launch_cutover(self) -> None:
        self._after_a_while(super().launch_cutover)

    def end_cutover(self) -> None:
        self._after_a_while(super().end_cutover)

    def revert(self) -> None:
        self._after_a_while(super().revert)

    def _after_a_while(self, change: Callable[[], None]) -> None:
        self._hub.sleep(self._rng.uniform(0.02, 0.4))
        change()


class SimulatedFiles(MemoryFiles):
    """The port; a few files are pending now and then."""

    def __init__(self, hub: Hub, rng: Random) -> None:
        super().__init__()
        self._hub, self._rng = hub, rng

    def follow(self, primary: Side) -> None:
        self.held_back = self._rng.choice((0, 0, 3))
        self._hub.after(self._rng.uniform(0.1, 2.0), self._deliver)
        super().follow(primary)

    def _deliver(self) -> None:
        self.held_back = 0


class SimulatedNetwork:
    """The port's one verb that the engine uses."""

    def __init__(self, up: Callable[[], bool]) -> None:
        self._up = up

    def connect(self) -> None:
        if not self._up():
            raise LinksDown(("vpn",), ("it was cut",))

    def links(self) -> NoData:
        return NoData(reason="nobody asks")


class SimulatedChecks(InMemoryChecks):
    """Each suite looks at its servers; `failing` makes every check fail."""

    def __init__(self, hub: Hub, rng: Random, servers: SimulatedServers) -> None:
        super().__init__(_SERVERS)
        self._hub, self._rng, self._servers = hub, rng, servers
        self.failing = False

    def run(self, suite: Suite) -> tuple[CheckResult, ...]:
        self._hub.sleep(self._rng.uniform(0.01, 0.15))
        ready = suite is Suite.TEST_INSTANCES or self._servers.takes_users(
            Side.SOURCE if suite is Suite.SOURCE else Side.TARGET
        )
        return tuple(
            CheckResult(
                name="health", subject=name, passed=ready and not self.failing, detail="" if ready else "not running"
            )
            for name in _SERVERS
        )
