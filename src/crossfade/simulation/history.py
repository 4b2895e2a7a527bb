"""What happened in one run, in its order: for people who read it, and as a digest that tells two runs apart."""

import hashlib
from dataclasses import dataclass, field

from crossfade.simulation.hub import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """`at` is in virtual seconds since the start; `who` is the part of the world that it happened to."""

    at: float
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at:10.3f} s  {self.who:<10}  {self.what}"


@dataclass(slots=True)
class History:
    hub: Hub
    lines: list[tuple[float, str, str]] = field(default_factory=list)

    def note(self, who: str, what: str) -> None:
        self.lines.append((self.hub.seconds, who, what))

    def happenings(self) -> tuple[Happening, ...]:
        return tuple(Happening(at=at, who=who, what=what) for at, who, what in self.lines)

    def digest(self) -> str:
        """SHA-256 over all of it."""
        return hashlib.sha256(repr(self.lines).encode()).hexdigest()
