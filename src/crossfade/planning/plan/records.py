"""The joined plan: what moves when and why, what it was made of, what was assumed, what nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from crossfade.model.file import MigrationFile
from crossfade.planning.applications import ApplicationMap
from crossfade.planning.inventory import Inventory
from crossfade.planning.readiness import Readiness
from crossfade.planning.risks.register import Register
from crossfade.planning.schedule.records import Schedule
from crossfade.planning.waves import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something that no source told and that the plan needs. `path`: the key of the migration file that tells it."""

    about: str
    value: str
    reason: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Something that is not known of `count` out of `of`, the first of them in `names`, and how it becomes known."""

    about: str
    count: int
    of: int
    names: tuple[str, ...]
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPlanned:
    """An application or a server that is in no wave, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldWave:
    """A wave that a source tells of, and where the plan has its applications.

    `planned`: the number of the planned wave, None for no wave, by application. `differs`: what is otherwise in the
    plan, a sentence each; none: the plan has it as it was told.
    """

    name: str
    planned: Mapping[str, int | None]
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRef:
    """How a planned application is carried out: the migration file that describes it.

    `path` is relative to the plan's folder. `given`: it is the very file that was planned from, and nothing was
    written. `missing` are the keys that a person must add before `crossfade check` accepts it, each with its remedy;
    none: it is sound as it stands.
    """

    path: str
    given: bool
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A migration file as text, and where it lies in the plan's folder."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedApplication:
    """An application in its wave. `reason` is why it is there; `group` numbers what moves together.

    `size_bytes` None: no source tells any. `size_known_percent`: of how many of its servers the size is told.
    `migration` None: nothing is known by which it could be carried out.
    """

    name: str
    servers: tuple[str, ...]
    size_bytes: int | None
    size_known_percent: float
    changes_bytes_s: float | None
    owner: str | None
    team: str | None
    environments: tuple[str, ...]
    risk: float
    wave: int
    day: date
    group: int
    reason: str
    migration: MigrationRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    """Everything together. `applications` are in order of wave and name.

    `file` is the migration file that was planned from, or, with `file_assumed`, one of defaults alone that stands for
    it; `file_name` is what people call it, empty for an assumed one. `first_window` is the day of window 1, used or
    not. The same input gives the same plan.
    """

    name: str
    on: date
    start: date
    first_window: date
    deadline: date | None
    sources: tuple[str, ...]
    file: MigrationFile
    file_name: str
    file_assumed: bool
    inventory: Inventory
    found: ApplicationMap
    readiness: tuple[Readiness, ...]
    applications: tuple[PlannedApplication, ...]
    not_planned: tuple[NotPlanned, ...]
    told_waves: tuple[ToldWave, ...]
    drafts: tuple[Draft, ...]
    waves: Plan
    schedule: Schedule
    risks: Register
    assumptions: tuple[Assumption, ...]
    unknowns: tuple[Unknown, ...]
