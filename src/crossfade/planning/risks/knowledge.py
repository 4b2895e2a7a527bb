"""How a known risk is described: what shows it, what the plan may do about it, which limits tell of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from crossfade.model.file import MigrationFile
from crossfade.planning.applications import ApplicationMap
from crossfade.planning.inventory.records import Inventory, Place
from crossfade.planning.risks.rating import Probability
from crossfade.planning.schedule.records import Schedule


class Category(StrEnum):
    """What a known risk is about; people may add others."""

    DATA = "data"
    NETWORK = "network"
    PEOPLE = "people"
    SCHEDULE = "schedule"
    SECURITY = "security"
    TRAFFIC = "traffic"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a rule may look at. `inventory` None: none was given, and so no `applications`. `on`: the register's day.

    `schedule` None: no plan was made.
    """

    file: MigrationFile
    inventory: Inventory | None
    on: date
    applications: ApplicationMap | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Clue:
    """Something that shows a risk: a path of the migration file, rows of the inventory, or `where` else it stands."""

    says: str
    path: str = ""
    places: tuple[Place, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A risk is there: how probable, and what shows it, at least one clue."""

    probability: Probability
    clues: tuple[Clue, ...]


@dataclass(frozen=True, slots=True)
class Countered:
    """Something that lowers a risk by steps when the file has it at `path`."""

    says: str
    path: str
    holds: Callable[[MigrationFile], bool]
    probability: int = 0
    impact: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A risk that is known beforehand.

    `look` says what shows it, or None. `common` is its probability where nothing does; None: then it is not told.
    `limits` are paths of the migration file, each with what it means when that limit is passed.
    """

    id: str
    title: str
    category: Category
    impact: int
    look: Callable[[Seen], Shown | None]
    common: Probability | None = None
    countered: tuple[Countered, ...] = ()
    contingencies: tuple[str, ...] = ()
    limits: tuple[tuple[str, str], ...] = ()


def nothing_shows(_: Seen) -> None:
    """For what no file can show, and is common nevertheless."""


def shown(probability: Probability, clues: Iterable[Clue]) -> Shown | None:
    """A finding, when there is any clue."""
    found = tuple(clues)
    return Shown(probability, found) if found else None


def always(_: MigrationFile) -> bool:
    """For what Crossfade does whatever the file says; the path is where it is set how."""
    return True
