"""Ctrl-C, a closed terminal, a service that is stopped: a program asked to end does so once, in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ASKED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(SystemExit):
    """Raised in the main thread by the first signal; the exit code is the one that shells give, 128 + its number."""

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(128 + number)


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Within the block the first of SIGINT, SIGTERM and SIGHUP raises `Interrupted`; more of them change nothing.

    Once interrupted, signals stay without effect until the process has ended: an impatient second Ctrl-C must not
    leave behind what the first was about to end. A signal that was ignored from the start (nohup) stays ignored.
    """
    interrupted = False

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise Interrupted(number)

    before = {by: signal.getsignal(by) for by in _ASKED_BY if signal.getsignal(by) is not signal.SIG_IGN}
    for by in before:
        signal.signal(by, interrupt)
    try:
        yield
    finally:
        for by, handler in before.items():
            signal.signal(by, signal.SIG_IGN if interrupted else handler)
