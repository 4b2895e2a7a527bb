"""Servers whose twins are made by copying release and settings, and launched by the sites' launchers."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import ServerState, ServerStatus
from crossfade.model.terms import NoData
from crossfade.servers.answering import Address, unanswered, wait_until_answered
from crossfade.servers.errors import InstancesNotReady, LegacyUnfit, ServerFault
from crossfade.servers.launcher import Kind, Launcher
from crossfade.servers.record import StateRecord
from crossfade.servers.replica import Replica
from crossfade.servers.states import Verb, after
from crossfade.servers.twin import Twin

_LAUNCHED: dict[ServerState, Kind] = {
    ServerState.TESTING: "test",
    ServerState.CUTTING_OVER: "production",
    ServerState.CUTOVER: "production",
    ServerState.DISCONNECTED: "production",
}
_FINAL = (ServerState.CUTOVER, ServerState.DISCONNECTED)
_KINDS: tuple[Kind, Kind] = ("test", "production")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`source_servers` and `target_servers` hold a folder a server; `states` is a file that this role writes."""

    source_servers: Path
    target_servers: Path
    states: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Launchers:
    source: Launcher
    target: Launcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How a launched instance shows that it is ready, and how long is waited for all of them together.

    `look_timeout` is for `states`, which is asked all the time and must not wait long for one that hangs.
    `warm_up_requests` of `ready_path` go to each instance that will take users, so that its pools are open and its
    code is compiled before the first user comes.
    """

    live_path: str = "/healthz"
    ready_path: str = "/readyz"
    patience: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(seconds=2)
    look_timeout: timedelta = timedelta(seconds=1)
    warm_up_requests: int = 10


class CopiedServers:
    """The port on files and launchers. Safe to kill anywhere: a new object goes on from the record and the world.

    A launched instance is a snapshot, as in MGN: while one runs, `replicate` leaves its folder alone, and the next
    launch brings the newest release. Each verb works through all servers and records each one as it gets there, so
    `states` shows the progress meanwhile.
    """

    def __init__(
        self, twins: Sequence[Twin], places: Places, launchers: Launchers, readiness: Readiness | None = None
    ) -> None:
        self._twins = {twin.legacy: twin for twin in twins}
        self._replicas = {twin.legacy: Replica(twin, places.source_servers, places.target_servers) for twin in twins}
        self._record = StateRecord(places.states, tuple(self._twins))
        self._launchers = launchers
        self._readiness = readiness or Readiness()

    def replicate(self) -> None:
        """Raises `LegacyUnfit` (all faults of all servers), `ReleaseUnsettled`, `CopyFailed`, `WrongState`."""
        with self._alone():
            states, wanted = self._plan(Verb.REPLICATE)
            self._synchronise({name: wanted[name] for name, state in states.items() if state not in _LAUNCHED})

    def launch_test(self) -> None:
        """Raises as `replicate` does, and `InstancesNotReady`."""
        self._launch(Verb.LAUNCH_TEST, "test")

    def end_test(self) -> None:
        with self._alone():
            _, wanted = self._plan(Verb.END_TEST)
            self._stop(self._twins, ["test"])
            for name, state in wanted.items():
                self._arrive(name, state)

    def launch_cutover(self) -> None:
        """Raises as `replicate` does, and `InstancesNotReady`."""
        self._launch(Verb.LAUNCH_CUTOVER, "production")

    def end_cutover(self) -> None:
        with self._alone():
            _, wanted = self._plan(Verb.END_CUTOVER)
            self._stop(self._twins, ["production"])
            for name, state in wanted.items():
                self._arrive(name, state)

    def finalize(self) -> None:
        """On return every server is DISCONNECTED. CUTOVER is recorded for all before the first is: it is final."""
        with self._alone():
            _, final = self._plan(Verb.FINALIZE)
            self._record.save(final)
            for name, state in after(Verb.DISCONNECT, final).items():
                self._replicas[name].forget_source()
                self._arrive(name, state)

    def retire_source(self) -> None:
        with self._alone():
            after(Verb.RETIRE_SOURCE, self._record.load())
            running = {instance.name for instance in self._launchers.source.instances()}
            for name in self._twins:
                if name in running:
                    self._launchers.source.stop(name)

    def revert(self) -> None:
        """Raises `WrongState` when a server is final already: then nothing is touched."""
        with self._alone():
            wanted = after(Verb.REVERT, self._record.load())
            self._stop(self._twins, _KINDS)
            for name, state in wanted.items():
                self._replicas[name].remove()
                self._arrive(name, state)

    def states(self) -> tuple[ServerStatus, ...] | NoData:
        """The recorded states, less what the world does not bear out: a replica that is gone is NOT_READY."""
        try:
            states = self._look()
            launched = _launched(self._twins, states)
            running = {instance.name for instance in self._launchers.target.instances()} if launched else set()
        except CrossfadeError as failed:
            return NoData(reason=str(failed))
        asked = [address for address in launched.values() if address.instance in running]
        silent = unanswered(asked, self._readiness.live_path, self._readiness.look_timeout)
        return tuple(
            ServerStatus(
                name=name,
                state=state,
                instance_running=name in launched
                and launched[name].instance in running
                and launched[name].instance not in silent,
            )
            for name, state in states.items()
        )

    def _launch(self, verb: Verb, kind: Kind) -> None:
        with self._alone():
            states, wanted = self._plan(verb)
            self._synchronise({name: state for name, state in states.items() if _LAUNCHED.get(state) != kind})
            running = {instance.name for instance in self._launchers.target.instances()}
            for name, twin in self._twins.items():
                if twin.instance(kind) not in running:
                    folder = self._replicas[name].folder
                    self._launchers.target.start(
                        twin.instance(kind), kind=kind, directory=folder, port=twin.port_of(kind)
                    )
            self._await_ready(kind, wanted)

    def _await_ready(self, kind: Kind, wanted: dict[str, ServerState]) -> None:
        ready = self._readiness
        addresses = {name: _address(twin, kind) for name, twin in self._twins.items()}
        asks = 1 + (ready.warm_up_requests if kind == "production" else 0)
        silent = wait_until_answered(
            addresses.values(),
            [ready.live_path, *[ready.ready_path] * asks],
            patience=ready.patience,
            timeout=ready.timeout,
        )
        for name, address in addresses.items():
            if address.instance not in silent:
                self._arrive(name, wanted[name])
        if silent:
            raise InstancesNotReady(silent)

    def _synchronise(self, states: Mapping[str, ServerState]) -> None:
        """Bring replicas in step; the state of each is recorded as soon as its own is."""
        for name in self._out_of_step(states):
            self._stop([name], _KINDS)  # what runs from it runs unrecorded: we were killed while launching
            self._replicas[name].synchronise()
            self._arrive(name, states[name])
        for name, state in states.items():
            self._arrive(name, state)

    def _out_of_step(self, names: Iterable[str]) -> list[str]:
        outdated: list[str] = []
        faults: list[ServerFault] = []
        for name in names:
            try:
                if not self._replicas[name].in_step():
                    outdated.append(name)
            except LegacyUnfit as unfit:
                faults.extend(unfit.faults)
        if faults:
            raise LegacyUnfit(faults)
        return outdated

    def _stop(self, names: Iterable[str], kinds: Iterable[Kind]) -> None:
        wanted = {self._twins[name].instance(kind) for name in names for kind in kinds}
        if wanted:
            for running in sorted({instance.name for instance in self._launchers.target.instances()} & wanted):
                self._launchers.target.stop(running)

    def _plan(self, verb: Verb) -> tuple[dict[str, ServerState], dict[str, ServerState]]:
        states = self._look()
        return states, after(verb, states)

    def _look(self) -> dict[str, ServerState]:
        """The recorded states; a server whose replica is gone is NOT_READY, unless it is final already."""
        return {
            name: state if state in _FINAL or self._replicas[name].complete else ServerState.NOT_READY
            for name, state in self._record.load().items()
        }

    def _arrive(self, name: str, state: ServerState) -> None:
        recorded = self._record.load()
        if recorded[name] != state:
            self._record.save({**recorded, name: state})

    def _alone(self) -> AbstractContextManager[None]:
        return self._record.alone(self._readiness.patience)


def _launched(twins: Mapping[str, Twin], states: Mapping[str, ServerState]) -> dict[str, Address]:
    return {name: _address(twins[name], _LAUNCHED[state]) for name, state in states.items() if state in _LAUNCHED}


def _address(twin: Twin, kind: Kind) -> Address:
    instance = twin.instance(kind)
    return Address(instance=instance, port=twin.port_of(kind), names=frozenset({twin.name, instance}))
