"""What a look is asked with and answered with."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crossfade.simulation.postgres.task import ServerError

if TYPE_CHECKING:
    from crossfade.simulation.postgres.backend import Backend
    from crossfade.simulation.postgres.server import Server

Parameters = Mapping[str, object] | Sequence[object] | None
Rows = list[tuple[Any, ...]]
Read = Callable[["Backend", Any], Rows]


def installed(server: "Server") -> None:
    if not server.catalog.installed:
        raise ServerError("42P01", 'relation "crossfade.writer" does not exist')
