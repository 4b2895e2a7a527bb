"""One conductor for one rehearsal at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.layout import Layout


class AlreadyRuns(CrossfadeError):
    """Another process carries out this rehearsal now."""

    def __init__(self, migration: str) -> None:
        self.migration = migration
        self.remedy = f"Watch it with `crossfade watch {migration}`, or end that one first (Ctrl-C there)."
        super().__init__(f"{migration} is being carried out by another process")


@contextmanager
def one_at_a_time(layout: Layout) -> Iterator[None]:
    """Nobody else carries out this rehearsal meanwhile. The kernel lets go when the process dies.

    Raises `AlreadyRuns`.
    """
    with (layout.root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise AlreadyRuns(layout.migration) from busy
        yield
