"""A problem of waves as a file: strict, and with the names that the migration file's `planning` has."""

from datetime import date
from typing import Annotated

from pydantic import Field

from crossfade.model.file.planning import Blackout, ChangeWindow
from crossfade.model.file.quantities import Count, Size
from crossfade.model.file.section import Section
from crossfade.model.file.texts import Text

Names = Annotated[tuple[Text, ...], Field(min_length=2)]


class Mover(Section):
    """What moves as a whole: an application, or a server."""

    name: Text
    """Its name, by which everything else speaks of it."""
    servers: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    """Servers that it has."""
    size: Size = 0
    """Data that is copied for it."""
    team: Text | None = None
    """Who moves it."""
    risk: Annotated[float, Field(ge=0, le=1)] = 0.0
    """From 0, harmless, to 1."""
    environment: Text | None = None
    """Such as `test` or `production`."""
    not_before: date | None = None
    """First day on which it may move."""
    not_after: date | None = None
    """Last day on which it may move."""
    wave: Count | None = None
    """The wave in which it moves, counted by change windows from 1."""


class Talk(Section):
    """Two that talk."""

    between: Annotated[tuple[Text, ...], Field(min_length=2, max_length=2)]
    """Both ends."""
    weight: Annotated[int, Field(ge=0, le=10**12)] = 1
    """What it costs that they talk over the link while only one has moved: volume, or how much latency hurts."""


class TeamCapacity(Section):
    """What a team can do."""

    name: Text
    """The team, as the items name it."""
    servers_per_wave: Count
    """Servers that it can move in a wave."""


class PilotWave(Section):
    """The first wave."""

    servers: Count = 5
    """Servers that it has at most; at least one item moves in it."""
    environments: tuple[Text, ...] = ()
    """Where they may be from. Empty: any."""


class WavesFile(Section):
    """What moves, what talks, what is wished."""

    start: date
    """First day on which anything may move."""
    deadline: date | None = None
    """Last day."""
    windows: tuple[ChangeWindow, ...] = ()
    """Weekly change windows; each day on which one opens can be a wave. Empty: one a week, from `start` on."""
    blackouts: tuple[Blackout, ...] = ()
    """Dates without changes."""
    servers_per_wave: Count = 50
    """Largest wave."""
    size_per_wave: Size | None = None
    """Most data that is copied for a wave."""
    pilot: PilotWave | None = None
    """Asks for a small first wave."""
    teams: tuple[TeamCapacity, ...] = ()
    """Limits of teams."""
    items: Annotated[tuple[Mover, ...], Field(min_length=1)]
    """What moves."""
    talks: tuple[Talk, ...] = ()
    """What talks."""
    together: tuple[Names, ...] = ()
    """Items that move in the same wave."""
    latency_critical: tuple[Annotated[tuple[Text, ...], Field(min_length=2, max_length=2)], ...] = ()
    """Pairs that must not talk over the link between two waves."""
    apart: tuple[Names, ...] = ()
    """Items of which no two move in the same wave."""
    order: tuple[Names, ...] = ()
    """Items that move one after the other, each in a later wave than the one before."""
