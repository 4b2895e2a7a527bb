"""What can go wrong with servers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import ServerState


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFault:
    """One thing about one server that stands in the way: where, what, and what to do about it."""

    server: str
    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.server}: {self.place}: {self.problem}. {self.remedy}"


class WrongState(CrossfadeError):
    """A verb was asked of servers whose state does not allow it. Nothing was done."""

    remedy = "See `crossfade status` for each server's state, and carry out the steps before this one first."

    def __init__(self, *, verb: str, states: Mapping[str, ServerState]) -> None:
        self.verb = verb
        self.states = dict(states)
        listed = ", ".join(f"{name} is {state}" for name, state in sorted(states.items()))
        super().__init__(f"{verb} is not possible: {listed}")


class LegacyUnfit(CrossfadeError):
    """Releases or settings of legacy servers cannot be copied as they are; every fault of every server."""

    remedy = "Mend each named file on the legacy server, then resume."

    def __init__(self, faults: Sequence[ServerFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class ReleaseUnsettled(CrossfadeError):
    """A release changed each time while it was copied."""

    retryable = True
    remedy = "Wait until the deployment on the legacy server has ended, then resume."

    def __init__(self, *, server: str, attempts: int) -> None:
        self.server = server
        self.attempts = attempts
        super().__init__(f"the release of {server} changed during each of {attempts} copies")


class CopyFailed(CrossfadeError):
    """The operating system refused a copy: disk full, no rights, a device error."""

    retryable = True
    remedy = "Make room or give the right to write on the target, then resume: what is copied already is kept."

    def __init__(self, *, server: str, place: Path | str, reason: str) -> None:
        self.server = server
        self.place = str(place)
        self.reason = reason
        super().__init__(f"copying {server} failed at {place}: {reason}")


class InstancesNotReady(CrossfadeError):
    """Launched instances did not answer in time; every one with the last answer seen."""

    retryable = True
    remedy = "Read the instances' logs; then resume, which launches only what is missing."

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        listed = "; ".join(f"{name}: {reason}" for name, reason in sorted(reasons.items()))
        super().__init__(f"instances are not ready: {listed}")


class StatesUnreadable(CrossfadeError):
    """The recorded states are not what was written; they are never guessed."""

    remedy = "Restore the file from a backup, or revert the servers and replicate anew after removing it."

    def __init__(self, *, place: Path, problem: str) -> None:
        self.place = place
        self.problem = problem
        super().__init__(f"{place}: {problem}")


class StatesNotWritten(CrossfadeError):
    """A state could not be recorded; what was recorded before stands."""

    retryable = True
    remedy = "Make room, or give the right to write there; then resume: nothing is done twice."

    def __init__(self, *, place: Path, reason: str) -> None:
        self.place = place
        self.reason = reason
        super().__init__(f"{place} was not written: {reason}")


class ServersBusy(CrossfadeError):
    """Another engine is changing the servers of this migration right now."""

    retryable = True
    remedy = "Wait for the other engine, or end it."

    def __init__(self, place: Path) -> None:
        self.place = place
        super().__init__(f"another engine holds {place}")
