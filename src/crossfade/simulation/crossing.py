"""Between an engine and the roles: calls take time, fail, half-happen or report wrongly; looks miss, age or lie."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from crossfade.model.comparing import ShadowReading
from crossfade.model.counts import ArmReading
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import FileSync, Replication, Shares, WayBack, Writer
from crossfade.model.terms import NoData
from crossfade.simulation.hub import Hub

Occur = Callable[[str], None]


class NoAnswer(CrossfadeError):
    """A part did not answer: what was asked of it was done, or not, or will be."""

    retryable = True
    remedy = "See that the part runs."

    def __init__(self, call: str) -> None:
        self.call = call
        super().__init__(f"{call} was not answered")


@dataclass(slots=True)
class Disturbances:
    """What is wrong now with the calls between the engines and the roles.

    `acts` holds, for a call, what happens to it the next time: (kind, seconds). `looks`: (kind, until when).
    """

    acts: dict[str, tuple[str, float]] = field(default_factory=dict)
    looks: dict[str, tuple[str, float]] = field(default_factory=dict)

    def heal(self) -> None:
        self.acts.clear()
        self.looks.clear()


class Crossing:
    """Stands before a role: every verb and look of the port passes through it."""

    def __init__(
        self, name: str, role: Any, *, hub: Hub, rng: Random, disturbances: Disturbances, occur: Occur
    ) -> None:
        self._name, self._role, self._hub, self._rng = name, role, hub, rng
        self._disturbances, self._occur = disturbances, occur
        self._seen: dict[str, Any] = {}

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        call = f"{self._name}.{verb}"
        function = getattr(self._role, verb)
        through = self._look if call in LOOKS else self._act

        def cross(*arguments: Any) -> Any:
            return through(call, function, arguments)

        setattr(self, verb, cross)
        return cross

    def _act(self, call: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        self._occur(f"before:{call}")
        kind, seconds = self._disturbances.acts.pop(call, ("", 0.0))
        self._hub.sleep(seconds if kind == "effect-slow" else self._rng.uniform(0.001, 0.02))
        if kind == "effect-fails":
            raise NoAnswer(call)
        answer = function(*arguments)
        if kind == "effect-lies":
            raise NoAnswer(call)
        self._occur(f"after:{call}")
        self._hub.sleep(self._rng.uniform(0.0, 0.005))
        return answer

    def _look(self, call: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        kind, until = self._disturbances.looks.get(call, ("", 0.0))
        if self._hub.seconds >= until:
            kind = ""
        if kind == "look-missing":
            return NoData(reason="out of sight")
        key = f"{call}{arguments}"
        if kind == "look-old" and key in self._seen:
            return self._seen[key]
        answer = function(*arguments)
        if kind == "look-slow":
            self._hub.sleep(self._rng.choice((0.5, 2.0, 7.0)))
        elif kind == "look-wrong":
            return _wrong(answer, self._rng)
        self._seen[key] = answer
        return answer


LOOKS = frozenset({
    "router.shares", "router.drained", "metrics.arms", "database.replication", "database.way_back",
    "database.writer", "servers.states", "files.state", "network.links", "shadow.reading",
})  # fmt: skip


def _wrong(answer: Any, rng: Random) -> Any:
    """Something that could have been said, and is not so."""
    match answer:
        case Shares():
            return replace(answer, canary_percent=rng.choice((0.0, 50.0, 100.0)))
        case Replication():
            return replace(answer, lag_bytes=rng.choice((0, 2**40)), applying=rng.random() < 0.5)
        case WayBack():
            return replace(answer, proven=not answer.proven, built=rng.random() < 0.5)
        case Writer():
            return replace(answer, source_open=answer.target_open, target_open=answer.source_open)
        case FileSync():
            return replace(answer, pending=0 if answer.pending else 5)
        case ArmReading():
            fewer = replace(answer.canary, requests=answer.canary.requests // 2, errors=answer.canary.errors // 2)
            return replace(answer, canary=fewer) if rng.random() < 0.5 else replace(answer, boot="another")
        case ShadowReading():
            return replace(answer, boot="another") if rng.random() < 0.5 else replace(answer, unanswered=10**6)
        case _:
            return answer
