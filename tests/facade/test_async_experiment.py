import asyncio
import copy
import inspect
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, assert_type

import pytest

from crossfade.facade import (
    AsyncExperiment,
    Facade,
    FacadeSettings,
    Finding,
    Mode,
    SideEffectRefused,
    Terms,
    guard_effect,
    in_shadow,
    segment,
)
from tests.facade.doubles import PATIENT, Receiver, all_in, until, whom

INSIDE = next(user for user in map(str, range(1000)) if segment(user) < 5)
OUTSIDE = next(user for user in map(str, range(1000)) if segment(user) >= 15)
SHORT = FacadeSettings(deadline=timedelta(seconds=60), shadows=3, timeout=timedelta(seconds=1))
Implementation = Callable[[str], Coroutine[Any, Any, str]]


async def legacy(user: str) -> str:
    await asyncio.sleep(0)
    return f"legacy for {user}"


async def modern(user: str) -> str:
    await asyncio.sleep(0)
    return f"modern for {user}"


async def failing(user: str) -> str:
    await asyncio.sleep(0)
    raise ConnectionError(user)


async def missing(user: str) -> str:
    await asyncio.sleep(0)
    raise LookupError(user)


def experiment(facade: Facade, control: Implementation, candidate: Implementation) -> AsyncExperiment[[str], str]:
    return facade.experiment("balance", legacy=control, modern=candidate, user=whom, side_effects=False)


@pytest.mark.parametrize(
    ("mode", "inside"),
    [
        (Mode.LEGACY, "legacy"),
        (Mode.SHADOW, "legacy"),
        (Mode.MODERN_WITH_FALLBACK, "modern"),
        (Mode.MODERN, "modern"),
    ],
)
def test_modern_answers_only_those_within_the_percentage(mode: Mode, inside: str) -> None:
    with Facade(all_in(mode, 5), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, modern)
        assert assert_type(asyncio.run(balance(INSIDE)), str) == f"{inside} for {INSIDE}"
        assert asyncio.run(balance(OUTSIDE)) == f"legacy for {OUTSIDE}"


def test_it_is_a_coroutine_function_for_those_who_look() -> None:
    with Facade(all_in(Mode.LEGACY)) as facade:
        assert inspect.iscoroutinefunction(experiment(facade, legacy, modern).__call__)


@pytest.mark.parametrize(
    ("control", "candidate", "finding"),
    [
        (legacy, legacy, Finding.MATCHED),
        (legacy, modern, Finding.DIFFERED),
        (legacy, missing, Finding.DIFFERED),
        (missing, missing, Finding.MATCHED),
        (missing, failing, Finding.DIFFERED),
    ],
)
def test_values_and_exceptions_are_compared_and_the_caller_gets_legacys(
    control: Implementation, candidate: Implementation, finding: Finding
) -> None:
    async def calling() -> None:
        if control is legacy:
            assert await balance("x") == "legacy for x"
        else:
            with pytest.raises(LookupError):
                await balance("x")
        await until(lambda: balance.counts)

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = experiment(facade, control, candidate)
        asyncio.run(calling())
    assert balance.counts == {finding: 1}


def test_legacy_answers_when_modern_fails() -> None:
    with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, failing)
        assert asyncio.run(balance("x")) == "legacy for x"
    assert balance.counts == {Finding.FELL_BACK: 1}


def test_the_exception_is_the_answer_when_it_is_expected() -> None:
    with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
        terms: Terms[str] = Terms(expected=(LookupError,))
        balance = facade.experiment(
            "balance", legacy=legacy, modern=missing, user=whom, side_effects=False, terms=terms
        )
        with pytest.raises(LookupError):
            asyncio.run(balance("x"))
    assert balance.counts == {}


def test_the_failure_reaches_the_caller_when_modern_stands_alone() -> None:
    with Facade(all_in(Mode.MODERN), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, failing)
        with pytest.raises(ConnectionError):
            asyncio.run(balance("x"))
    assert balance.counts == {Finding.FAILED: 1}


def test_everybody_goes_back_when_somebody_says_so() -> None:
    with Facade(all_in(Mode.MODERN), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, modern)
        facade.health.send_back("the target is on fire")
        assert asyncio.run(balance("x")) == "legacy for x"


def test_what_the_caller_does_with_the_answer_does_not_matter() -> None:
    async def ordering(numbers: list[int]) -> list[int]:
        return sorted(numbers)

    async def calling() -> None:
        given = [3, 1, 2]
        answer = await ordered(given)
        answer.clear()
        given.append(0)
        await until(lambda: ordered.counts)

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        terms: Terms[list[int]] = Terms(isolate=copy.deepcopy)
        ordered = facade.experiment(
            "balance", legacy=ordering, modern=ordering, user=lambda numbers: "x", side_effects=False, terms=terms
        )
        asyncio.run(calling())
    assert ordered.counts == {Finding.MATCHED: 1}


def test_cancelling_a_call_cancels_modern_and_does_not_fall_back() -> None:
    async def cancelling() -> None:
        begun = asyncio.Event()
        asked: list[str] = []

        async def hanging(user: str) -> str:
            begun.set()
            await asyncio.Event().wait()
            return user

        async def noting(user: str) -> str:
            asked.append(user)
            return user

        call = asyncio.create_task(experiment(facade, noting, hanging)("x"))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert asked == []

    with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
        asyncio.run(cancelling())
    assert facade.health.sent_back is None


def test_no_live_call_waits_and_tasks_stay_bounded_when_candidates_hang() -> None:
    begun, cancelled = [], []

    async def hanging(user: str) -> str:
        begun.append(user)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(user)
            raise
        return user

    async def calling() -> None:
        answers = [await balance("x") for _ in range(200)]
        assert set(answers) == {"legacy for x"}
        assert len(asyncio.all_tasks()) <= 1 + 3
        await until(lambda: len(cancelled) == len(begun))
        await until(lambda: len(published.got) == len(begun))

    published = Receiver()
    with Facade(all_in(Mode.SHADOW), publish=published, settings=SHORT) as facade:
        balance = experiment(facade, legacy, hanging)
        asyncio.run(calling())
    assert balance.counts[Finding.TIMED_OUT] == len(begun)
    assert sum(balance.counts.values()) == 200
    assert {observation.finding for observation in published.got} == {Finding.TIMED_OUT}


def test_a_candidates_own_timeout_is_an_exception_like_any_other() -> None:
    async def impatient(user: str) -> str:
        raise TimeoutError

    async def calling() -> None:
        await balance("x")
        await until(lambda: balance.counts)

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, impatient)
        asyncio.run(calling())
    assert balance.counts == {Finding.DIFFERED: 1}


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_the_program_goes_on_when_a_candidate_would_end_it(ending: type[BaseException]) -> None:
    async def ends(user: str) -> str:
        raise ending

    async def calling() -> str:
        await balance("x")
        await until(lambda: balance.counts)
        return await balance("y")

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, ends)
        assert asyncio.run(calling()) == "legacy for y"


def test_the_loop_ends_quietly_while_a_shadow_still_runs() -> None:
    begun: list[str] = []

    async def hanging(user: str) -> str:
        begun.append(user)
        await asyncio.Event().wait()
        return user

    async def calling() -> str:
        answer = await balance("x")
        await until(lambda: begun)
        return answer

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, hanging)
        assert asyncio.run(calling()) == "legacy for x"
    assert balance.counts == {Finding.DROPPED: 1}


def test_the_guard_refuses_deep_within_a_candidate_and_nowhere_else() -> None:
    written: list[str] = []

    def write(user: str) -> None:
        guard_effect("insert into audit")
        written.append(user)

    async def writing(user: str) -> str:
        assert in_shadow()
        try:
            await asyncio.gather(asyncio.to_thread(write, user))
        except SideEffectRefused:
            return await legacy(user)
        return "written"

    async def calling() -> None:
        assert await balance("x") == "legacy for x"
        write("live")
        await until(lambda: balance.counts)

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, writing)
        asyncio.run(calling())
    assert balance.counts == {Finding.REFUSED: 1}
    assert written == ["live"]


def test_a_candidate_begins_only_after_the_live_call_has_its_answer() -> None:
    order: list[str] = []

    async def noting(user: str) -> str:
        order.append("candidate")
        return user

    async def calling() -> None:
        await balance("x")
        order.append("answered")
        await until(lambda: balance.counts)

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = experiment(facade, legacy, noting)
        asyncio.run(calling())
    assert order == ["answered", "candidate"]
