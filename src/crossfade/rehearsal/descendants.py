"""Whatever this process started, and whatever that started in turn: none of it gets out of sight."""

import ctypes
import os
import signal
import time
from contextlib import suppress

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_POLITE_S = 5.0
_LOOK_AGAIN_S = 0.1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Descendants:
    """From now on the kernel gives a process whose parent has died to this one, not to init, until `end`.

    So a server whose launcher was killed, a backend of a killed database or a tool of a killed engine is still found.
    What this process had started before is not meant. Source: prctl(2), PR_SET_CHILD_SUBREAPER.
    """

    def __init__(self) -> None:
        self._others = set(psutil.Process().children())
        self._adopt(orphans=True)

    def end(self) -> None:
        """None runs any more, and none is left as a zombie: what still runs is asked to end, and soon made to."""
        until = time.monotonic() + _POLITE_S
        asked: set[psutil.Process] = set()
        while remaining := self._remaining():
            late = time.monotonic() > until
            for process in remaining if late else remaining - asked:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL if late else signal.SIGTERM)
            asked |= remaining
            psutil.wait_procs(remaining, timeout=_LOOK_AGAIN_S)  # takes note of the end of those it was given, too
        self._adopt(orphans=False)

    def _remaining(self) -> set[psutil.Process]:
        """Empty only if there is none: a process that dies meanwhile is a zombie until this one takes note of it."""
        found = set(psutil.Process().children()) - self._others
        for process in tuple(found):
            with suppress(psutil.NoSuchProcess):
                found.update(process.children(recursive=True))
        return found

    def _adopt(self, *, orphans: bool) -> None:
        if _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, int(orphans), 0, 0, 0):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
