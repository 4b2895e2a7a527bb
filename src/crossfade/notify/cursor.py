"""How far each channel has come, kept over restarts."""

from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossfade.durable import replace
from crossfade.notify.errors import CursorDamaged


class Cursor(Protocol):
    """The position of the last notice that each channel delivered; 0 before the first. Called from several threads,
    each for a channel of its own.
    """

    def load(self, channel: str) -> int: ...

    def store(self, channel: str, position: int) -> None:
        """Durable on return."""
        ...


class MemoryCursor:
    """For tests and the simulation."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    def load(self, channel: str) -> int:
        return self._positions.get(channel, 0)

    def store(self, channel: str, position: int) -> None:
        self._positions[channel] = position


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1] = 1
    position: int = Field(ge=0)


class FileCursor:
    """A small file for each channel in `folder`, so that channels never wait for each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, channel: str) -> int:
        """Raises `CursorDamaged`, or `OSError` as the system gives it."""
        place = self._place(channel)
        try:
            return _Stored.model_validate_json(place.read_bytes()).position
        except FileNotFoundError:
            return 0
        except ValidationError as wrong:
            raise CursorDamaged(place) from wrong

    def store(self, channel: str, position: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        replace(self._place(channel), _Stored(position=position).model_dump_json().encode())

    def _place(self, channel: str) -> Path:
        return self._folder / f"{quote(channel, safe='')}.json"
