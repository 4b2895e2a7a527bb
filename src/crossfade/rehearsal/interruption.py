"""Ctrl-C, a closed terminal, a service that is stopped: a program asked to end does so once, in order."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_AGAIN_S = 1.0


class Interrupted(SystemExit):
    """Raised in the main thread by the first signal; the exit code is the one that shells give, 128 + its number."""

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(128 + number)


@contextmanager
def interrupted_once() -> Iterator[Callable[[], None]]:
    """Within the block the first of SIGINT, SIGTERM and SIGHUP raises `Interrupted`; more of them change nothing.

    It is raised again, a second later, unless what is yielded was called: an exception that comes while Python runs a
    destructor, or a hook at a fork, is lost. Call it when ending begins, for whatever reason. From then on, and after
    an interruption until the process has ended, signals have no effect: an impatient second Ctrl-C must not leave
    behind what the first was about to end. A signal that was ignored from the start (nohup) stays ignored.
    """
    asked_by: list[int] = []
    ending = False

    def interrupt(number: int, _frame: FrameType | None) -> None:
        again = number == signal.SIGALRM
        if ending or bool(asked_by) is not again:
            return
        if not again:
            asked_by.append(number)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S, _AGAIN_S)
        raise Interrupted(asked_by[0])

    def begin_to_end() -> None:
        nonlocal ending
        ending = True
        signal.setitimer(signal.ITIMER_REAL, 0)

    def stay_silent(lost: "sys.UnraisableHookArgs") -> None:
        if not isinstance(lost.exc_value, Interrupted):  # a lost one comes again, and is no fault to be shown
            report_lost(lost)

    report_lost, sys.unraisablehook = sys.unraisablehook, stay_silent
    asking = [by for by in _ASKED_BY if signal.getsignal(by) is not signal.SIG_IGN]
    before = {by: signal.signal(by, interrupt) for by in (*asking, signal.SIGALRM)}
    try:
        yield begin_to_end
    finally:
        begin_to_end()
        sys.unraisablehook = report_lost
        for by, handler in before.items():
            signal.signal(by, signal.SIG_IGN if asked_by else handler)
