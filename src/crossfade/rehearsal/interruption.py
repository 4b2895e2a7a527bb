"""Ctrl-C, a closed terminal, a service that is stopped: a program asked to end does so once, in order."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_AGAIN_S = 1.0
_undisturbed = 0  # how many such blocks the main thread is in
_late: list[int] = []  # the signal that came within


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
        if _undisturbed:
            _late[:] = asked_by
            return
        raise Interrupted(asked_by[0])

    def begin_to_end() -> None:
        nonlocal ending
        ending = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        _late.clear()

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


@contextmanager
def undisturbed() -> Iterator[None]:
    """An interruption that comes within the block is raised at its end: it is done whole, or not at all.

    For the main thread, and for moments: between a fork and the note of its process. It holds whichever thread the
    system gives the signal to, and a program that is started within inherits nothing of it: a mask of blocked signals
    would do neither.
    """
    global _undisturbed  # noqa: PLW0603 - the handler of a signal can be given nothing
    _undisturbed += 1
    try:
        yield
    finally:
        _undisturbed -= 1
        if _late and not _undisturbed:
            raise Interrupted(_late.pop())
