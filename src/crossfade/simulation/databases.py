"""What the world asks of the databases, besides what the engine does through the role's port."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from crossfade.model.terms import Side


class AppDatabase(Protocol):
    """One side, as the application and those who watch it know it."""

    side: Side
    up: bool
    on_grant_change: list[Callable[[Any], None]]

    def crash(self) -> None: ...

    def start(self) -> None: ...

    def app_may_write(self) -> bool:
        """By the grants of this instant, for any role of the application."""
        ...

    def write(self, key: str, *, role: str, seconds: float, done: Callable[[str], None]) -> None:
        """One transaction of the application; `done` is told committed, refused, failed or unknown."""
        ...

    def committed(self) -> Mapping[str, int]:
        """How many rows each key has here."""
        ...
