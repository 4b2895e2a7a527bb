"""One interface, two implementations: legacy and modern, called as either alone would be."""

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial, update_wrapper
from time import perf_counter
from typing import Any, Generic, ParamSpec, TypeVar

from crossfade.facade.guard import ShadowCall, in_shadow, running_as
from crossfade.facade.health import Health
from crossfade.facade.kept import KeptRollout
from crossfade.facade.outcome import Finding, Raised, Returned, outcome_of
from crossfade.facade.reporting import Call, Reporting
from crossfade.facade.rollout import Mode, Rollout
from crossfade.facade.segment import segment
from crossfade.facade.settings import Terms
from crossfade.facade.workers import Workers

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a facade gives to each of its experiments."""

    kept: KeptRollout
    health: Health
    reporting: Reporting
    shadows: Workers
    salt: str
    timeout_s: float
    at_once: int


class Experiment(Generic[P, R]):
    """Call it as you would call legacy. What it returns and raises is legacy's or modern's own, never anything else."""

    def __init__(
        self,
        name: str,
        implementations: tuple[Callable[P, R], Callable[P, R]],
        user: Callable[P, str | None],
        terms: Terms[Any],
        means: Means,
        *,
        side_effects: bool,
    ) -> None:
        self.name = name
        self._legacy, self._modern = implementations
        update_wrapper(self, self._legacy, updated=())  # so that it shows legacy's signature and documentation
        self._user, self._terms, self._side_effects = user, terms, side_effects
        self._falls_back_on = terms.falls_back_on(side_effects=side_effects)
        self._kept, self._health, self._reporting = means.kept, means.health, means.reporting
        self._means = means

    @property
    def counts(self) -> dict[Finding, int]:
        """How often each finding was made. Calls that were simply answered by one side are not counted."""
        return dict(self._reporting.counts)

    @property
    def flag_fault(self) -> str | None:
        """Why the flag's newest answer is missing; None when all is well, or nothing was asked yet."""
        return self._kept.fault

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        rollout = self._kept.rollout()
        if rollout.mode is Mode.LEGACY or self._health.sent_back is not None:
            return self._legacy(*args, **kwargs)
        mode, user = self._mode_for(rollout, *args, **kwargs)
        if mode is Mode.LEGACY:
            return self._legacy(*args, **kwargs)
        if mode is Mode.SHADOW:
            return self._shadowed(user, *args, **kwargs)
        return self._modernized(mode, user, *args, **kwargs)

    def _mode_for(self, rollout: Rollout, /, *args: P.args, **kwargs: P.kwargs) -> tuple[Mode, str | None]:
        """The mode of this call, and its user. Without a user only a rollout to everybody includes it."""
        if rollout.mode is Mode.SHADOW and self._side_effects:
            self._reporting.count(Finding.WITHHELD)
            return Mode.LEGACY, None
        user, included = None, False
        try:
            user = self._user(*args, **kwargs)
            if rollout.percent < 100:
                included = user is not None and rollout.includes(segment(user, self._means.salt))
        except Exception:  # noqa: BLE001 - the application's own code; a call must be answered all the same
            self._reporting.count(Finding.UNIDENTIFIED)
        return (rollout.mode if included or rollout.percent >= 100 else Mode.LEGACY), user

    def _shadowed(self, user: str | None, /, *args: P.args, **kwargs: P.kwargs) -> R:
        candidate = self._candidate(*args, **kwargs) if self._has_room() else None
        if candidate is None:
            self._reporting.count(Finding.DROPPED)
            return self._legacy(*args, **kwargs)
        began = perf_counter()
        try:
            value = self._legacy(*args, **kwargs)
        except Exception as error:
            self._shadow(Call(mode=Mode.SHADOW, user=user, control=Raised(error, perf_counter() - began)), candidate)
            raise
        self._shadow(Call(mode=Mode.SHADOW, user=user, control=Returned(value, perf_counter() - began)), candidate)
        return value

    def _has_room(self) -> bool:
        return not self._means.shadows.full

    def _shadow(self, call: Call, candidate: Callable[[], R]) -> None:
        """Hand the candidate to a thread, or drop it. Never raises: the live call is about to return."""
        call = self._kept_apart(call)
        if call.control is None:
            self._reporting.count(Finding.DROPPED)
            return
        shadow = ShadowCall(self.name)
        run = partial(copy_context().run, self._run_shadow, shadow, call, candidate)
        if not self._means.shadows.submit(
            run, overdue=partial(self._overdue, shadow, call), within_s=self._means.timeout_s
        ):
            self._reporting.count(Finding.DROPPED)

    def _run_shadow(self, shadow: ShadowCall, call: Call, candidate: Callable[[], R]) -> None:
        """In a thread of its own, in the live call's context."""
        if shadow.given_up:  # its time has passed while it waited for a thread
            return
        with running_as(shadow):
            outcome = outcome_of(candidate)
        if shadow.settle():
            self._reporting.conclude(shadow, replace(call, candidate=outcome))

    def _overdue(self, shadow: ShadowCall, call: Call) -> None:
        if shadow.settle(given_up=True):
            self._reporting.conclude(shadow, call)

    def _modernized(self, mode: Mode, user: str | None, /, *args: P.args, **kwargs: P.kwargs) -> R:
        began = perf_counter()
        try:
            value = self._modern(*args, **kwargs)
        except self._terms.expected:
            self._record(failed=False)
            raise
        except Exception as error:
            failed = Call(mode=mode, user=user, candidate=Raised(error, perf_counter() - began))
            if not self._falls_back(mode, failed):
                raise
        else:
            self._record(failed=False)
            return value
        return self._legacy(*args, **kwargs)

    def _falls_back(self, mode: Mode, failed: Call) -> bool:
        """Whether legacy answers instead; the failure is counted and told in either case."""
        self._record(failed=True)
        error = failed.candidate.error if isinstance(failed.candidate, Raised) else None
        falls = mode is Mode.MODERN_WITH_FALLBACK and isinstance(error, self._falls_back_on)
        self._reporting.report(Finding.FELL_BACK if falls else Finding.FAILED, failed)
        return falls

    def _record(self, *, failed: bool) -> None:
        """Of calls that answer users: not of those that some other experiment's candidate makes."""
        if not in_shadow():
            self._health.record(failed=failed)

    def _candidate(self, *args: P.args, **kwargs: P.kwargs) -> Callable[[], R] | None:
        """Modern with these arguments, or a copy of them where the terms ask for one; None where that fails."""
        if self._terms.isolate is None:
            return partial(self._modern, *args, **kwargs)
        try:
            copied_args, copied_kwargs = self._terms.isolate((args, kwargs))
            return partial(self._modern, *copied_args, **copied_kwargs)
        except Exception:  # noqa: BLE001 - the application's own code; the live call goes on
            return None

    def _kept_apart(self, call: Call) -> Call:
        """The same call with a copy of legacy's value, which its caller may be changing soon; None where that fails."""
        if self._terms.isolate is None or not isinstance(call.control, Returned):
            return call
        try:
            (value,) = self._terms.isolate((call.control.value,))
        except Exception:  # noqa: BLE001 - the application's own code; the live call goes on
            return replace(call, control=None)
        return replace(call, control=Returned(value, call.control.seconds))
