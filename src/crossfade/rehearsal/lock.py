"""One conductor for one rehearsal at a time."""

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.layout import Layout


class AlreadyRuns(CrossfadeError):
    """Another process carries out this rehearsal now."""

    def __init__(self, migration: str) -> None:
        self.migration = migration
        self.remedy = f"Watch it with `crossfade watch {migration}`, or end that one first (Ctrl-C there)."
        super().__init__(f"{migration} is being carried out by another process")


class NobodyConducts(CrossfadeError):
    """An engine alone would work on parts that do not run."""

    def __init__(self, migration: str) -> None:
        self.migration = migration
        self.remedy = f"Start everything with `crossfade resume {migration}`."
        super().__init__(f"{migration} is being carried out by nobody")


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


def end_with_conductor(layout: Layout) -> None:
    """SIGTERM to this process at the moment in which the conductor of the rehearsal has gone, whoever started which.

    Raises `NobodyConducts` when there is none now.
    """
    file = (layout.root / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        threading.Thread(target=_end_when_free, args=(file,), name="conductor's end", daemon=True).start()
        return
    file.close()
    raise NobodyConducts(layout.migration)


def _end_when_free(lock: IO[str]) -> None:
    fcntl.flock(lock, fcntl.LOCK_SH)
    os.kill(os.getpid(), signal.SIGTERM)
