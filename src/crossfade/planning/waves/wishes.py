"""What a plan of waves has to keep to, each wish with the place where it was said. All of them are hard.

A wish holds in a plan or it does not; `says` is the sentence in which reasons and contradictions name it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(ABC):
    """`place` is where people find it: a line of a file, or whatever the caller calls it."""

    place: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The items that it is about; none: it is about all."""
        return ()

    @property
    @abstractmethod
    def says(self) -> str:
        """The wish as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together(Wish):
    """These move in one wave. `latency_critical`: because they must not talk over the link between two waves."""

    items: tuple[str, ...]
    latency_critical: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return self.items

    @property
    def says(self) -> str:
        if self.latency_critical:
            return f"{_listed(self.items)} must not talk over the link between two waves"
        return f"{_listed(self.items)} move together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart(Wish):
    """No two of these move in one wave."""

    items: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.items

    @property
    def says(self) -> str:
        return f"{_listed(self.items)} do not move together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Before(Wish):
    """`first` moves in an earlier wave than `then`."""

    first: str
    then: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.first, self.then)

    @property
    def says(self) -> str:
        return f"{self.first} moves before {self.then}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBefore(Wish):
    """The item moves on that day or later."""

    item: str
    day: date

    @property
    def names(self) -> tuple[str, ...]:
        return (self.item,)

    @property
    def says(self) -> str:
        return f"{self.item} does not move before {self.day}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAfter(Wish):
    """The item moves on that day or earlier."""

    item: str
    day: date

    @property
    def names(self) -> tuple[str, ...]:
        return (self.item,)

    @property
    def says(self) -> str:
        return f"{self.item} does not move after {self.day}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InWave(Wish):
    """The item moves in that wave, counted from 1."""

    item: str
    wave: int

    @property
    def names(self) -> tuple[str, ...]:
        return (self.item,)

    @property
    def says(self) -> str:
        return f"{self.item} moves in wave {self.wave}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveLimit(Wish):
    """No wave has more servers than that."""

    servers: int

    @property
    def says(self) -> str:
        return f"a wave has at most {self.servers:,} servers"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimit(Wish):
    """No wave has more data than that, in bytes."""

    size_bytes: int

    @property
    def says(self) -> str:
        return f"a wave has at most {self.size_bytes:,} bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamLimit(Wish):
    """A team moves no more servers than that in one wave."""

    team: str
    servers: int

    @property
    def says(self) -> str:
        return f"team {self.team} moves at most {self.servers:,} servers in a wave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot(Wish):
    """The first wave has at least one item, and at most that many servers, of these environments (none named: any)."""

    servers: int
    environments: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        of = f" of {_listed(self.environments)}" if self.environments else ""
        return f"wave 1 is a pilot of 1 to {self.servers:,} servers{of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEnd(Wish):
    """Nothing moves after the last change window. Without this wish there are as many more windows as it takes."""

    windows: int

    @property
    def says(self) -> str:
        return f"there are {self.windows:,} change windows"


def _listed(names: tuple[str, ...]) -> str:
    shown = names if len(names) <= 5 else (*names[:4], f"{len(names) - 4:,} others")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
