"""The same for coroutines: candidates are tasks of the caller's own event loop, which can be cancelled."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, Generic, ParamSpec, TypeVar

from crossfade.facade.experiment import Experiment
from crossfade.facade.guard import ShadowCall, running_as
from crossfade.facade.outcome import Finding, Raised, Returned
from crossfade.facade.reporting import Call, Outcome
from crossfade.facade.rollout import Mode

P = ParamSpec("P")
T = TypeVar("T")


class AsyncExperiment(Experiment[P, Coroutine[Any, Any, T]], Generic[P, T]):
    """Await it as you would await legacy. Cancelling it cancels what it awaits; a shadow goes on by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        rollout = await self._kept.rollout_async()
        if rollout.mode is Mode.LEGACY or self._health.sent_back is not None:
            return await self._legacy(*args, **kwargs)
        mode, user = self._mode_for(rollout, *args, **kwargs)
        if mode is Mode.LEGACY:
            return await self._legacy(*args, **kwargs)
        if mode is Mode.SHADOW:
            return await self._awaited_with_shadow(user, *args, **kwargs)
        return await self._awaited_modern(mode, user, *args, **kwargs)

    async def _awaited_with_shadow(self, user: str | None, /, *args: P.args, **kwargs: P.kwargs) -> T:
        candidate = self._candidate(*args, **kwargs) if self._has_room() else None
        if candidate is None:
            self._reporting.count(Finding.DROPPED)
            return await self._legacy(*args, **kwargs)
        began = perf_counter()
        try:
            value = await self._legacy(*args, **kwargs)
        except Exception as error:
            self._shadow(Call(mode=Mode.SHADOW, user=user, control=Raised(error, perf_counter() - began)), candidate)
            raise
        self._shadow(Call(mode=Mode.SHADOW, user=user, control=Returned(value, perf_counter() - began)), candidate)
        return value

    def _has_room(self) -> bool:
        return len(self._running) < self._means.at_once

    def _shadow(self, call: Call, candidate: Callable[[], Coroutine[Any, Any, T]]) -> None:
        call = self._kept_apart(call)
        if call.control is None or not self._has_room():  # others may have come while legacy was awaited
            self._reporting.count(Finding.DROPPED)
            return
        task = asyncio.get_running_loop().create_task(self._run_task(call, candidate))
        self._running.add(task)  # the loop itself holds no strong reference
        task.add_done_callback(self._running.discard)

    async def _run_task(self, call: Call, candidate: Callable[[], Coroutine[Any, Any, T]]) -> None:
        shadow, began, outcome = ShadowCall(self.name), perf_counter(), None
        try:
            await asyncio.sleep(0)  # also an eager task begins only after the live call has ended
            with running_as(shadow):
                async with asyncio.timeout(self._means.timeout_s):
                    outcome = await _outcome_of(candidate)
        except TimeoutError:  # the limit's own: the candidate's are outcomes
            outcome = None
        except asyncio.CancelledError:
            self._reporting.count(Finding.DROPPED)
            raise
        except (KeyboardInterrupt, SystemExit) as error:  # of the candidate: a shadow ends nobody's program
            outcome = Raised(error, perf_counter() - began)
        told = replace(call, candidate=outcome)
        if not self._means.shadows.submit(partial(self._reporting.conclude, shadow, told)):
            self._reporting.count(Finding.DROPPED)

    async def _awaited_modern(self, mode: Mode, user: str | None, /, *args: P.args, **kwargs: P.kwargs) -> T:
        began = perf_counter()
        try:
            value = await self._modern(*args, **kwargs)
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
        return await self._legacy(*args, **kwargs)


async def _outcome_of(candidate: Callable[[], Coroutine[Any, Any, T]]) -> Outcome:
    began = perf_counter()
    try:
        return Returned(await candidate(), perf_counter() - began)
    except Exception as error:  # noqa: BLE001 - an outcome like any other
        return Raised(error, perf_counter() - began)
