"""What the report says, before anybody decides how it looks."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.planning.decisions.record import Record
from crossfade.planning.executive.budget import Budget
from crossfade.planning.executive.phases import BroadPhase
from crossfade.planning.executive.traced import Figure
from crossfade.planning.executive.work import Work
from crossfade.planning.plan import MigrationPlan
from crossfade.planning.waves import Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How the system moves. `records` are decisions that lie in a folder; `criteria` what people call success."""

    sentence: str
    options: tuple[tuple[str, Figure], ...]
    turns: tuple[str, ...]
    records: tuple[Record, ...]
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedApplication:
    """An application of a wave, and why it is there."""

    name: str
    servers: Figure
    reason: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRow:
    """A wave with its own figures. `begins`: its first copy; `ends`: its last phase."""

    wave: Wave
    servers: Figure
    begins: Figure
    ends: Figure
    applications: tuple[MovedApplication, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The whole report. `asks` are what the committee is asked for; `figures` all numbers, by key.

    `gantt` and `heat_map` are SVG; the former is empty where nothing could be laid out.
    """

    plan: MigrationPlan
    headline: str
    tiles: tuple[Figure, ...]
    asks: tuple[str, ...]
    approach: Approach
    waves: tuple[WaveRow, ...]
    phases: tuple[BroadPhase, ...]
    budget: Budget
    work: tuple[Work, ...]
    roles: Mapping[str, str]
    gantt: str
    heat_map: str
    figures: tuple[Figure, ...]
