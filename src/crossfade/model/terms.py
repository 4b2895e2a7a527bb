"""The words everything else is said in: sides, phases, outcomes, and what it means that nothing was seen."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Side(StrEnum):
    """One of the two ends of a migration."""

    SOURCE = "source"
    TARGET = "target"

    @property
    def other(self) -> "Side":
        return Side.TARGET if self is Side.SOURCE else Side.SOURCE


NEITHER = "neither"
"""Of the sides, where one is asked for: said only when both are known."""


class Phase(StrEnum):
    """The phases of a migration, in their order."""

    PREPARE = "prepare"
    REPLICATE = "replicate"
    VALIDATE = "validate"
    SHADOW = "shadow"
    CANARY = "canary"
    CUTOVER = "cutover"
    BAKE = "bake"
    FINALIZE = "finalize"

    @property
    def next(self) -> "Phase | None":
        order = list(Phase)
        place = order.index(self) + 1
        return order[place] if place < len(order) else None


class Outcome(StrEnum):
    """How a migration ended. `HALTED` is neither forward nor back: a person must look."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    FAILED_BACK = "failed_back"
    HALTED = "halted"


class Suite(StrEnum):
    """What a set of checks is run against."""

    TEST_INSTANCES = "test_instances"
    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoData:
    """Nothing could be seen, and why. It is a value, never an exception, and never counts as good news.

    `lost`: what should have been seen is gone for good, however often one looks.
    """

    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(Generic[T]):
    """What was seen and the (aware) time at which it was true."""

    at: datetime
    value: T | NoData
