"""What code can ask and say about running as a shadow, however deep in the modern implementation it stands."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from crossfade.facade.errors import SideEffectRefused


class ShadowCall:
    """One candidate that runs as a shadow. `refused` names the effects that the guard has refused in it."""

    def __init__(self, experiment: str) -> None:
        self.experiment = experiment
        self.refused: list[str] = []
        self.given_up = False
        self._settled = False
        self._lock = threading.Lock()

    def settle(self, *, given_up: bool = False) -> bool:
        """True for whoever comes first: the end of the candidate, or its timeout."""
        with self._lock:
            first, self._settled = not self._settled, True
            self.given_up = self.given_up or (first and given_up)
        return first


_CURRENT: ContextVar[ShadowCall | None] = ContextVar("crossfade_shadow", default=None)


def in_shadow() -> bool:
    """Whether the code that asks runs as a shadow, so that nobody will see its answer.

    Follows a call into coroutines and `asyncio.to_thread`, not into threads that the code starts by other means.
    """
    return _CURRENT.get() is not None


def given_up() -> bool:
    """Whether the shadow that asks has run past its timeout. A thread cannot be ended from outside: long loops ask."""
    call = _CURRENT.get()
    return call is not None and call.given_up


def guard_effect(effect: str) -> None:
    """To be called before something is changed: a row, a message, a file. Returns, unless this runs as a shadow.

    `effect` is published, so it names the kind of effect and no person. Raises SideEffectRefused, which is counted
    also when the code around it takes the exception for something else.
    """
    call = _CURRENT.get()
    if call is not None:
        call.refused.append(effect)
        raise SideEffectRefused(effect, call.experiment)


@contextmanager
def running_as(call: ShadowCall) -> Iterator[None]:
    """What is called within runs as that shadow."""
    token = _CURRENT.set(call)
    try:
        yield
    finally:
        _CURRENT.reset(token)
