"""Servers that exist only as states, for the engine's tests and the simulation."""

from collections.abc import Iterable

from crossfade.model.seen import ServerState, ServerStatus
from crossfade.model.terms import NoData
from crossfade.servers.states import Verb, after

_ANSWERING = (ServerState.TESTING, ServerState.CUTTING_OVER, ServerState.CUTOVER, ServerState.DISCONNECTED)


class MemoryServers:
    """The port, at once and without fail. `source_running` tells whether the legacy servers still run."""

    def __init__(self, names: Iterable[str]) -> None:
        self._states = dict.fromkeys(names, ServerState.NOT_READY)
        self.source_running = True
        self.unseen: NoData | None = None

    def replicate(self) -> None:
        self._states = after(Verb.REPLICATE, self._states)

    def launch_test(self) -> None:
        self._states = after(Verb.LAUNCH_TEST, self._states)

    def end_test(self) -> None:
        self._states = after(Verb.END_TEST, self._states)

    def launch_cutover(self) -> None:
        self._states = after(Verb.LAUNCH_CUTOVER, self._states)

    def end_cutover(self) -> None:
        self._states = after(Verb.END_CUTOVER, self._states)

    def finalize(self) -> None:
        self._states = after(Verb.DISCONNECT, after(Verb.FINALIZE, self._states))

    def retire_source(self) -> None:
        after(Verb.RETIRE_SOURCE, self._states)
        self.source_running = False

    def revert(self) -> None:
        self._states = after(Verb.REVERT, self._states)

    def states(self) -> tuple[ServerStatus, ...] | NoData:
        """What the servers are; `unseen`, when set, instead."""
        if self.unseen is not None:
            return self.unseen
        return tuple(
            ServerStatus(name=name, state=state, instance_running=state in _ANSWERING)
            for name, state in self._states.items()
        )
