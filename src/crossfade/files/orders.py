"""What the agent is told and what it tells, as two files in its folder: `wanted.json` and `status.json`.

Files, not a connection, so that the agent goes on while no engine runs, and knows what to do when it is started anew.
"""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossfade.durable import replace
from crossfade.files.errors import OrderUnreadable
from crossfade.files.mirror import Round
from crossfade.files.share import FileFault
from crossfade.model.terms import Side

WANTED = "wanted.json"
STATUS = "status.json"
SHOWN_FAULTS = 20


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wanted(_Stored):
    """The end that is wanted. `turn` rises with every change, so that an answer can be told from an older one.

    `primary`: whose writes are to be delivered, None to copy nothing. `primaries`: every side that has been primary.
    `remove_copy`: deliver what is missing on the source, then stop and remove the target's copy.
    """

    version: Literal[1] = 1
    turn: int = Field(ge=0)
    primary: Side | None
    primaries: frozenset[Side] = frozenset()
    remove_copy: bool = False


class Fault(_Stored):
    path: str
    problem: str
    remedy: str


class Status(_Stored):
    """What the agent did, as of `at` (seconds since the epoch).

    `turn` is that of the `Wanted` acted upon. `in_step_at`: what stood on `primary` then has all been delivered; None
    while that cannot be said. `done`: copying has stopped, and the copy is removed if that was wanted.
    """

    version: Literal[1] = 1
    turn: int
    at: float
    primary: Side | None
    turning: bool = False
    done: bool = False
    files: int = 0
    bytes: int = 0
    pending: int = 0
    in_step_at: float | None = None
    fault_count: int = 0
    faults: tuple[Fault, ...] = ()


_S = TypeVar("_S", Wanted, Status)


def read(folder: Path, name: str, kind: type[_S]) -> _S | None:
    """None when it was never written. Raises `OrderUnreadable`."""
    place = folder / name
    try:
        return kind.model_validate_json(place.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as wrong:
        raise OrderUnreadable(place) from wrong


def write_wanted(folder: Path, wanted: Wanted) -> None:
    """On disk when this returns: the agent will act on it even if everything else dies now."""
    replace(folder / WANTED, wanted.model_dump_json().encode())


def write_status(folder: Path, status: Status) -> None:
    """Whole, but not forced to disk: it is written twice a second, and after a power cut the agent says it anew."""
    draft = folder / f".{STATUS}.draft"
    draft.write_text(status.model_dump_json())
    draft.replace(folder / STATUS)


def shown(faults: list[FileFault]) -> tuple[Fault, ...]:
    """The first few; the rest are counted."""
    return tuple(Fault(path=f.path, problem=f.problem, remedy=f.remedy) for f in faults[:SHOWN_FAULTS])


def told(wanted: Wanted, found: Round, *, at: float, in_step_at: float | None, turning: bool) -> Status:
    """A round as a status. While turning, at least one is pending: the new direction has not been looked at."""
    return Status(
        turn=wanted.turn,
        at=at,
        primary=wanted.primary,
        turning=turning,
        files=found.files,
        bytes=found.bytes,
        pending=max(1, found.pending) if turning or not found.complete else found.pending,
        in_step_at=in_step_at,
        fault_count=len(found.faults),
        faults=shown(found.faults),
    )
