import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import cast

import pytest

from crossfade.facade import FacadeSettings, Mode, Rollout, rollout_from_flag
from crossfade.facade.kept import KeptRollout
from crossfade.facade.rollout import EVERYBODY_LEGACY
from crossfade.facade.workers import Workers
from tests.facade.doubles import Clock, Hanging, Scripted, until
from tests.waiting import wait_for

SETTINGS = FacadeSettings(
    fresh_for=timedelta(seconds=1), usable_for=timedelta(seconds=30), deadline=timedelta(seconds=60)
)
HASTY = FacadeSettings(
    fresh_for=timedelta(seconds=1), usable_for=timedelta(seconds=30), deadline=timedelta(milliseconds=20)
)
MODERN = Rollout(mode=Mode.MODERN)
SHADOW = Rollout(mode=Mode.SHADOW)


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers("flags", threads=8, waiting=100)
    yield workers
    workers.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def broken() -> Rollout:
    raise ConnectionError("jane@example.com")


def test_the_first_call_waits_for_the_answer(workers: Workers, clock: Clock) -> None:
    kept = KeptRollout(Scripted(lambda: MODERN), "balance", SETTINGS, workers, clock)
    assert kept.rollout() == MODERN


def test_the_answer_is_kept_while_it_is_fresh(workers: Workers, clock: Clock) -> None:
    flags = Scripted(lambda: MODERN)
    kept = KeptRollout(flags, "balance", SETTINGS, workers, clock)
    for _ in range(100):
        kept.rollout()
    assert flags.asked == 1


def test_calls_go_on_with_the_old_answer_while_a_new_one_is_asked_for(workers: Workers, clock: Clock) -> None:
    flags = Scripted(lambda: MODERN)
    kept = KeptRollout(flags, "balance", SETTINGS, workers, clock)
    kept.rollout()
    hanging = Hanging(SHADOW)
    flags.answer = lambda: hanging.rollout("balance")
    clock.now += 1.1
    assert kept.rollout() == MODERN
    hanging.released.set()
    wait_for(lambda: kept.rollout() == SHADOW)


def test_everybody_stays_on_legacy_when_the_provider_hangs_from_the_start(workers: Workers, clock: Clock) -> None:
    hanging = Hanging(MODERN)
    kept = KeptRollout(hanging, "balance", HASTY, workers, clock)
    began = time.monotonic()
    assert {kept.rollout().mode for _ in range(5000)} == {Mode.LEGACY}
    assert time.monotonic() - began < 50  # if each had waited 20 ms, it would be 100 s
    wait_for(lambda: hanging.asked == 1)
    hanging.released.set()
    wait_for(lambda: kept.rollout() == MODERN)


def test_many_calls_at_once_ask_once_and_all_get_the_answer(workers: Workers, clock: Clock) -> None:
    hanging = Hanging(MODERN)
    kept = KeptRollout(hanging, "balance", SETTINGS, workers, clock)
    answers: list[Rollout] = []
    threads = [threading.Thread(target=lambda: answers.append(kept.rollout())) for _ in range(16)]
    for thread in threads:
        thread.start()
    wait_for(lambda: hanging.asked)
    hanging.released.set()
    for thread in threads:
        thread.join()
    assert answers == [MODERN] * 16
    assert hanging.asked == 1


def test_the_last_answer_holds_for_the_stated_time_when_the_provider_fails(workers: Workers, clock: Clock) -> None:
    flags = Scripted(lambda: MODERN)
    kept = KeptRollout(flags, "balance", SETTINGS, workers, clock)
    kept.rollout()
    flags.answer = broken
    for _ in range(29):
        clock.now += 1
        assert kept.rollout() == MODERN
    wait_for(lambda: kept.fault)
    clock.now += 1
    assert kept.rollout() == EVERYBODY_LEGACY


def test_the_last_answer_ends_when_the_provider_hangs_for_longer(workers: Workers, clock: Clock) -> None:
    flags = Scripted(lambda: MODERN)
    kept = KeptRollout(flags, "balance", HASTY, workers, clock)
    wait_for(lambda: kept.rollout() == MODERN)  # who is hasty may have the answer only at the second call
    hanging = Hanging(SHADOW)
    flags.answer = lambda: hanging.rollout("balance")
    clock.now += 29.9
    assert kept.rollout() == MODERN
    clock.now += 0.2
    assert kept.rollout() == EVERYBODY_LEGACY
    hanging.released.set()


def test_a_recovered_provider_is_noticed_although_the_first_question_hangs_for_ever(
    workers: Workers, clock: Clock
) -> None:
    first = Hanging(MODERN)
    flags = Scripted(lambda: first.rollout("balance"))
    kept = KeptRollout(flags, "balance", HASTY, workers, clock)
    assert kept.rollout() == EVERYBODY_LEGACY
    wait_for(lambda: flags.asked)
    flags.answer = lambda: SHADOW
    clock.now += 9.9
    assert kept.rollout() == EVERYBODY_LEGACY
    assert flags.asked == 1
    clock.now += 0.2
    wait_for(lambda: kept.rollout() == SHADOW)
    first.released.set()


def test_no_call_waits_again_for_a_provider_that_has_disappointed(
    workers: Workers, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def waiting(futures: tuple[Future[None]], seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("crossfade.facade.kept.wait", waiting)
    hanging = Hanging(MODERN)
    kept = KeptRollout(hanging, "balance", SETTINGS, workers, clock)
    for number in (1, 2, 3):
        kept.rollout()
        wait_for(partial(_has_asked, hanging, number))
        clock.now += 1000
    assert waited == [60]
    hanging.released.set()


def _has_asked(flags: Hanging, number: int) -> bool:
    return flags.asked == number


def test_a_late_answer_is_as_old_as_its_question(workers: Workers, clock: Clock) -> None:
    first = Hanging(MODERN)
    flags = Scripted(lambda: first.rollout("balance"))
    kept = KeptRollout(flags, "balance", HASTY, workers, clock)
    kept.rollout()
    wait_for(lambda: flags.asked)
    flags.answer = lambda: SHADOW
    clock.now += 10.1
    wait_for(lambda: kept.rollout() == SHADOW)
    first.released.set()
    wait_for(lambda: workers._idle == workers._alive)
    assert kept.rollout() == SHADOW


def test_hanging_questions_keep_few_threads(workers: Workers, clock: Clock) -> None:
    hanging = Hanging(MODERN)
    kept = KeptRollout(hanging, "balance", HASTY, workers, clock)

    def asked_by(threads: int) -> bool:
        clock.now += 10_000
        kept.rollout()
        return hanging.asked == threads

    wait_for(lambda: asked_by(8))
    for _ in range(50):
        asked_by(8)
    assert kept.rollout() == EVERYBODY_LEGACY
    assert workers._alive == 8
    hanging.released.set()


@pytest.mark.parametrize(
    "lie",
    [
        lambda: rollout_from_flag({"mode": "modern", "percent": 250}),
        lambda: rollout_from_flag({"mode": "modern"}),
        lambda: cast("Rollout", {"mode": "modern", "percent": 100}),
        lambda: cast("Rollout", None),
        lambda: exec("raise SystemExit"),
        lambda: exec("raise GeneratorExit"),
        broken,
    ],
)
def test_legacy_answers_when_the_provider_fails_or_lies(
    lie: Callable[[], Rollout], workers: Workers, clock: Clock
) -> None:
    kept = KeptRollout(Scripted(lie), "balance", SETTINGS, workers, clock)
    assert kept.rollout() == EVERYBODY_LEGACY
    assert kept.fault


def test_a_failing_provider_is_asked_no_more_often_than_a_sound_one(workers: Workers, clock: Clock) -> None:
    flags = Scripted(broken)
    kept = KeptRollout(flags, "balance", SETTINGS, workers, clock)
    for _ in range(100):
        kept.rollout()
    assert flags.asked == 1
    clock.now += 1.1
    kept.rollout()
    wait_for(lambda: flags.asked == 2)


def test_a_fault_is_logged_once_without_the_providers_words(
    workers: Workers, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    flags = Scripted(broken)
    kept = KeptRollout(flags, "balance", SETTINGS, workers, clock)
    with caplog.at_level(logging.INFO, "crossfade.facade"):
        for _ in range(3):
            kept.rollout()
            clock.now += 1.1
            wait_for(lambda: workers._idle == workers._alive)
        flags.answer = lambda: MODERN
        wait_for(lambda: kept.rollout() == MODERN)
        wait_for(lambda: len(caplog.messages) == 2)
    assert caplog.messages == [
        "The flag balance has no answer: ConnectionError was raised",
        "The flag balance is answered again.",
    ]
    assert kept.fault is None


def test_the_event_loop_goes_on_while_the_first_answer_is_awaited(workers: Workers, clock: Clock) -> None:
    hanging = Hanging(MODERN)
    kept = KeptRollout(hanging, "balance", SETTINGS, workers, clock)

    async def meanwhile() -> Rollout:
        asking = asyncio.create_task(kept.rollout_async())
        await until(lambda: hanging.asked)
        hanging.released.set()
        return await asking

    assert asyncio.run(meanwhile()) == MODERN


def test_others_get_the_answer_when_one_who_waits_is_cancelled(workers: Workers, clock: Clock) -> None:
    hanging = Hanging(MODERN)
    kept = KeptRollout(hanging, "balance", SETTINGS, workers, clock)

    async def both() -> Rollout:
        cancelled, other = asyncio.create_task(kept.rollout_async()), asyncio.create_task(kept.rollout_async())
        await until(lambda: hanging.asked)
        cancelled.cancel()
        await asyncio.wait((cancelled,))
        for _ in range(20):
            await asyncio.sleep(0)  # time enough for a cancellation to spread
        assert not other.done()
        hanging.released.set()
        return await other

    assert asyncio.run(both()) == MODERN


def test_nothing_is_logged_when_the_answer_comes_after_the_loop_has_ended(
    workers: Workers, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging(MODERN)
    kept = KeptRollout(hanging, "balance", HASTY, workers, clock)
    assert asyncio.run(kept.rollout_async()) == EVERYBODY_LEGACY
    hanging.released.set()
    wait_for(lambda: kept.rollout() == MODERN)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_asks_for_itself(workers: Workers, clock: Clock) -> None:
    """As servers do that load an application once and fork; here while a question hangs and a lock is held."""
    hanging = Hanging(MODERN)
    flags = Scripted(lambda: hanging.rollout("balance"))
    kept = KeptRollout(flags, "balance", SETTINGS, workers, clock)
    asking = threading.Thread(target=kept.rollout)
    asking.start()
    wait_for(lambda: flags.asked)
    flags.answer = lambda: SHADOW
    with kept._lock, workers._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # a child that hangs shall not outlive the tests
            try:
                os._exit(0 if kept.rollout() == SHADOW else 1)
            finally:
                os._exit(2)
    _, status = os.waitpid(child, 0)
    hanging.released.set()
    asking.join()
    assert os.waitstatus_to_exitcode(status) == 0
