"""The strangler facade of one application: where experiments are made, and what they share."""

import inspect
import secrets
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, overload

from crossfade.facade.async_experiment import AsyncExperiment
from crossfade.facade.errors import SettingsInvalid
from crossfade.facade.experiment import Experiment, Means
from crossfade.facade.flags import Flags
from crossfade.facade.health import Health
from crossfade.facade.kept import KeptRollout
from crossfade.facade.observation import Masking
from crossfade.facade.reporting import Publish, Reporting
from crossfade.facade.settings import FacadeSettings, Terms
from crossfade.facade.workers import Workers

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_ASKING = 8
_QUESTIONS = 1000
_UNTOLD = 1000
_SECRET_BYTES = 32


class Facade:
    """Legacy and modern behind one interface, for as many experiments as you like.

    `flags` says who gets what, and is asked in threads of the facade. `publish` gets each observation, one at a time,
    in a thread of its own; up to 1,000 wait for it. `health` is shared by all experiments: it can send everybody back
    to legacy.

    Threads start when they are first needed. Use it as a context manager, or `close` it: calls go on after that, with
    what flags said last, then with legacy.
    """

    def __init__(
        self,
        flags: Flags,
        *,
        publish: Publish | None = None,
        health: Health | None = None,
        settings: FacadeSettings | None = None,
    ) -> None:
        self.health = health or Health()
        self._flags, self._publish = flags, publish
        self._settings = settings or FacadeSettings()
        self._masking = Masking(self._settings.secret or secrets.token_bytes(_SECRET_BYTES))
        self._asking = Workers("flags", threads=_ASKING, waiting=_QUESTIONS)
        self._telling = Workers("observations", threads=1, waiting=_UNTOLD)
        self._shadows = Workers("shadows", threads=self._settings.shadows, waiting=self._settings.waiting)

    @overload
    def experiment(
        self,
        name: str,
        *,
        legacy: Callable[P, Coroutine[Any, Any, T]],
        modern: Callable[P, Coroutine[Any, Any, T]],
        user: Callable[P, str | None],
        side_effects: bool,
        terms: Terms[T] | None = None,
    ) -> AsyncExperiment[P, T]: ...

    @overload
    def experiment(
        self,
        name: str,
        *,
        legacy: Callable[P, R],
        modern: Callable[P, R],
        user: Callable[P, str | None],
        side_effects: bool,
        terms: Terms[R] | None = None,
    ) -> Experiment[P, R]: ...

    def experiment(
        self,
        name: str,
        *,
        legacy: Callable[P, Any],
        modern: Callable[P, Any],
        user: Callable[P, str | None],
        side_effects: bool,
        terms: Terms[Any] | None = None,
    ) -> Experiment[P, Any]:
        """Both implementations as one callable of the same kind: a coroutine function if they are.

        `name` is the flag's, unless the settings name one for all. `user` finds the user's key in the arguments; None
        is nobody in particular.
        `side_effects` says whether modern changes anything: only you can know. With True it is never run as a shadow,
        and legacy answers after a failure only where modern says that it has done nothing.
        Raises SettingsInvalid when one is `async` and the other is not, or the name is empty.
        """
        asynchronous = _is_async(legacy)
        faults = [] if name else ["an experiment needs a name"]
        if asynchronous is not _is_async(modern):
            faults.append(f"of {name}, either both implementations are async or neither")
        if faults:
            raise SettingsInvalid(tuple(faults))
        kind = AsyncExperiment if asynchronous else Experiment
        chosen = terms or Terms()
        return kind(name, (legacy, modern), user, chosen, self._means(name, chosen), side_effects=side_effects)

    def close(self) -> None:
        """No shadow and no question to flags begins any more, and nothing is published. Waits for nothing."""
        self._asking.close()
        self._shadows.close()
        self._telling.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _means(self, name: str, terms: Terms[Any]) -> Means:
        settings = self._settings
        return Means(
            kept=KeptRollout(self._flags, settings.flag or name, settings, self._asking),
            health=self.health,
            reporting=Reporting(name, terms, self._telling, self._masking, self._publish),
            shadows=self._shadows,
            salt=settings.salt,
            timeout_s=settings.timeout.total_seconds(),
            at_once=settings.shadows,
        )


def _is_async(implementation: Callable[..., Any]) -> bool:
    called = getattr(implementation, "__call__", None)  # noqa: B004 - of an object that can be called
    return inspect.iscoroutinefunction(implementation) or inspect.iscoroutinefunction(called)
