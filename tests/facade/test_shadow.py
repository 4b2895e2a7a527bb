import copy
import dataclasses
import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest

from crossfade.facade import (
    Experiment,
    Facade,
    FacadeSettings,
    Finding,
    Health,
    InMemoryFlags,
    Mode,
    Rollout,
    SideEffectRefused,
    Terms,
    given_up,
    guard_effect,
    in_shadow,
)
from tests.facade.doubles import PATIENT, Receiver, all_in, legacy, modern, whom
from tests.waiting import wait_for

SHORT = FacadeSettings(deadline=timedelta(seconds=60), shadows=2, waiting=3, timeout=timedelta(seconds=2))
"""So long that a thread begins within it, also on a busy computer."""


def raising(error: Exception) -> Callable[[str], str]:
    def implementation(user: str) -> str:
        raise error

    return implementation


def ordering(numbers: list[int]) -> list[int]:
    return sorted(numbers)


def found(experiment: Experiment[[str], str], number: int = 1) -> dict[Finding, int]:
    """What was counted once so many shadows have come to an end."""
    wait_for(lambda: sum(experiment.counts.values()) >= number)
    return experiment.counts


@pytest.mark.parametrize(
    ("control", "candidate", "finding"),
    [
        (legacy, legacy, Finding.MATCHED),
        (legacy, modern, Finding.DIFFERED),
        (legacy, raising(LookupError("x")), Finding.DIFFERED),
        (raising(LookupError("x")), legacy, Finding.DIFFERED),
        (raising(LookupError("x")), raising(LookupError("x")), Finding.MATCHED),
        (raising(LookupError("x")), raising(LookupError("y")), Finding.DIFFERED),
        (raising(LookupError("x")), raising(IndexError("x")), Finding.DIFFERED),
    ],
)
def test_values_and_exceptions_are_compared_and_the_caller_gets_legacys(
    control: Callable[[str], str], candidate: Callable[[str], str], finding: Finding
) -> None:
    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = facade.experiment("balance", legacy=control, modern=candidate, user=whom, side_effects=False)
        if control is legacy:
            assert balance("x") == "legacy for x"
        else:
            with pytest.raises(LookupError) as raised:
                balance("x")
            assert (raised.type, raised.value.args) == (LookupError, ("x",))
        assert found(balance) == {finding: 1}


def test_what_counts_as_the_same_is_as_the_terms_say() -> None:
    terms: Terms[str] = Terms(
        same=lambda control, candidate: control.split()[1:] == candidate.split()[1:],
        same_error=lambda control, candidate: type(control) is type(candidate),
    )
    pairs = ((legacy, modern), (raising(LookupError("x")), raising(LookupError("y"))))
    for control, candidate in pairs:
        with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
            balance = facade.experiment(
                "balance", legacy=control, modern=candidate, user=whom, side_effects=False, terms=terms
            )
            try:
                balance("x")
            except LookupError:
                assert control is not legacy
            assert found(balance) == {Finding.MATCHED: 1}


def test_the_live_call_is_as_ever_when_the_comparison_fails() -> None:
    def incomparable(control: str, candidate: str) -> bool:
        raise TypeError

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        terms = Terms(same=incomparable)
        balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False, terms=terms)
        assert balance("x") == "legacy for x"
        assert found(balance) == {Finding.UNCOMPARED: 1}


def test_the_program_goes_on_when_a_candidate_would_end_it() -> None:
    def ending(user: str) -> str:
        raise SystemExit

    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=ending, user=whom, side_effects=False)
        assert balance("x") == "legacy for x"
        assert found(balance) == {Finding.DIFFERED: 1}


class TestHangingCandidate:
    def test_no_live_call_waits_and_no_more_than_stated_is_kept(self) -> None:
        released, begun = threading.Event(), []

        def hanging(user: str) -> str:
            begun.append(user)
            released.wait()
            return legacy(user)

        settings = dataclasses.replace(PATIENT, shadows=2, waiting=3)
        with Facade(all_in(Mode.SHADOW), settings=settings) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=hanging, user=whom, side_effects=False)
            balance("x")
            wait_for(lambda: len(begun) == 1)
            balance("x")
            wait_for(lambda: len(begun) == 2)
            # Would these wait for a candidate, or for its timeout, they would never return: two run and three wait.
            assert {balance("x") for _ in range(998)} == {"legacy for x"}
            assert balance.counts == {Finding.DROPPED: 995}
            assert len(begun) == 2
            released.set()
            wait_for(lambda: balance.counts.get(Finding.MATCHED) == 5)

    def test_candidates_time_out_whether_they_run_or_wait_and_late_ones_are_not_begun(self) -> None:
        released, begun = threading.Event(), []

        def hanging(user: str) -> str:
            begun.append(user)
            released.wait()
            return legacy(user)

        with Facade(all_in(Mode.SHADOW), settings=SHORT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=hanging, user=whom, side_effects=False)
            balance("x")
            wait_for(lambda: len(begun) == 1)
            balance("x")
            wait_for(lambda: len(begun) == 2)
            balance("x")
            wait_for(lambda: balance.counts == {Finding.TIMED_OUT: 3})
            released.set()
            wait_for(lambda: facade._shadows._idle == 2)
            assert len(begun) == 2
            assert balance.counts == {Finding.TIMED_OUT: 3}

    def test_it_is_told_once_and_can_end_itself_when_it_asks(self) -> None:
        ended, published = threading.Event(), Receiver()

        def long(user: str) -> str:
            wait_for(given_up)
            ended.set()
            return user

        with Facade(all_in(Mode.SHADOW), publish=published, settings=SHORT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=long, user=whom, side_effects=False)
            balance("x")
            wait_for(ended.is_set)
            wait_for(lambda: published.got)
        assert [observation.finding for observation in published.got] == [Finding.TIMED_OUT]
        assert published.got[0].candidate is None
        assert published.got[0].control is not None
        assert balance.counts == {Finding.TIMED_OUT: 1}


def test_calls_and_shadows_go_on_when_the_receiver_hangs_or_fails() -> None:
    released = threading.Event()

    def hanging(observation: object) -> None:
        released.wait()
        raise OSError

    settings = dataclasses.replace(PATIENT, waiting=1000)
    with Facade(all_in(Mode.SHADOW), publish=hanging, settings=settings) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=legacy, user=whom, side_effects=False)
        assert {balance("x") for _ in range(200)} == {"legacy for x"}
        wait_for(lambda: balance.counts == {Finding.MATCHED: 200})
        released.set()
        wait_for(lambda: balance.counts.get(Finding.UNPUBLISHED) == 200)


class TestSideEffects:
    def test_a_candidate_with_side_effects_is_never_run_as_a_shadow(self) -> None:
        paid: list[str] = []
        with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
            pay = facade.experiment(
                "balance", legacy=lambda user: None, modern=paid.append, user=whom, side_effects=True
            )
            pay("x")
            assert pay.counts == {Finding.WITHHELD: 1}
        assert paid == []

    def test_the_guard_refuses_and_counts_also_when_the_refusal_is_swallowed(self) -> None:
        written: list[str] = []
        caught: list[str] = []

        def writing(user: str) -> str:
            try:
                guard_effect("insert into audit")
                written.append(user)
            except SideEffectRefused as refused:
                caught.append(refused.experiment)
            return legacy(user)

        published = Receiver()
        with Facade(all_in(Mode.SHADOW), publish=published, settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=writing, user=whom, side_effects=False)
            assert balance("x") == "legacy for x"
            assert found(balance) == {Finding.REFUSED: 1}
            wait_for(lambda: published.got)
        assert (written, caught) == ([], ["balance"])
        assert published.got[0].refused == ("insert into audit",)

    def test_the_guard_lets_everything_pass_that_answers_a_user(self) -> None:
        written: list[str] = []

        def writing(user: str) -> str:
            assert not in_shadow()
            assert not given_up()
            guard_effect("insert into audit")
            written.append(user)
            return user

        with Facade(all_in(Mode.MODERN), settings=PATIENT) as facade:
            facade.experiment("balance", legacy=legacy, modern=writing, user=whom, side_effects=True)("x")
        assert written == ["x"]

    def test_only_the_candidate_runs_as_a_shadow_and_in_the_calls_context(self) -> None:
        request: ContextVar[str] = ContextVar("request", default="none")
        seen: list[tuple[str, bool, str]] = []

        def implementation(name: str) -> Callable[[str], str]:
            def implemented(user: str) -> str:
                seen.append((name, in_shadow(), request.get()))
                return user

            return implemented

        with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
            balance = facade.experiment(
                "balance",
                legacy=implementation("legacy"),
                modern=implementation("modern"),
                user=whom,
                side_effects=False,
            )
            request.set("r-17")
            balance("x")
            found(balance)
        assert seen == [("legacy", False, "r-17"), ("modern", True, "r-17")]
        assert not in_shadow()


class TestIsolation:
    def test_what_the_caller_does_with_the_answer_does_not_matter(self) -> None:
        changed = threading.Event()

        def late(numbers: list[int]) -> list[int]:
            changed.wait()
            return ordering(numbers)

        with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
            ordered = facade.experiment(
                "balance",
                legacy=ordering,
                modern=late,
                user=lambda numbers: "x",
                side_effects=False,
                terms=Terms(isolate=copy.deepcopy),
            )
            given = [3, 1, 2]
            answer = ordered(given)
            answer.clear()
            given.append(0)
            changed.set()
            wait_for(lambda: ordered.counts)
        assert ordered.counts == {Finding.MATCHED: 1}

    def test_what_the_candidate_does_with_its_arguments_does_not_matter(self) -> None:
        def spoiling(numbers: list[int]) -> list[int]:
            numbers.clear()
            return []

        with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
            ordered = facade.experiment(
                "balance",
                legacy=ordering,
                modern=spoiling,
                user=lambda numbers: "x",
                side_effects=False,
                terms=Terms(isolate=copy.deepcopy),
            )
            given = [3, 1, 2]
            assert ordered(given) == [1, 2, 3]
            wait_for(lambda: ordered.counts)
        assert given == [3, 1, 2]

    @pytest.mark.parametrize("isolate", [lambda given: 1 / 0, lambda given: 1, lambda given: given[:1]])
    def test_the_shadow_is_dropped_when_nothing_can_be_copied(self, isolate: Callable[[Any], Any]) -> None:
        with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
            terms: Terms[str] = Terms(isolate=isolate)
            balance = facade.experiment(
                "balance", legacy=legacy, modern=modern, user=whom, side_effects=False, terms=terms
            )
            assert balance("x") == "legacy for x"
            assert balance.counts == {Finding.DROPPED: 1}


def test_what_fails_within_a_shadow_sends_nobody_back() -> None:
    """A candidate may be made of experiments itself."""
    health = Health(window=1, minimum=1)
    flags = InMemoryFlags(balance=Rollout(mode=Mode.SHADOW), inner=Rollout(mode=Mode.MODERN))
    with Facade(flags, health=health, settings=PATIENT) as facade:
        inner = facade.experiment(
            "inner", legacy=legacy, modern=raising(LookupError("x")), user=whom, side_effects=False
        )
        balance = facade.experiment("balance", legacy=legacy, modern=inner, user=whom, side_effects=False)
        assert balance("x") == "legacy for x"
        assert found(balance) == {Finding.DIFFERED: 1}
        assert inner.counts == {Finding.FAILED: 1}
        assert health.sent_back is None
        with pytest.raises(LookupError):
            inner("x")
        assert health.sent_back


def test_calls_of_many_threads_get_their_own_answers_and_each_is_counted() -> None:
    settings = FacadeSettings(deadline=timedelta(seconds=60), timeout=timedelta(seconds=60), waiting=10_000)
    wrong: list[str] = []
    with Facade(all_in(Mode.SHADOW), settings=settings) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=legacy, user=whom, side_effects=False)

        def calling(name: str) -> None:
            wrong.extend(name for _ in range(200) if balance(name) != f"legacy for {name}")

        threads = [threading.Thread(target=calling, args=(f"user {number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for(lambda: sum(balance.counts.values()) == 1600)
    assert wrong == []
    assert balance.counts == {Finding.MATCHED: 1600}


def test_calls_are_answered_and_shadows_dropped_when_the_facade_is_closed() -> None:
    with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
        balance("x")
        found(balance)
    assert balance("x") == "legacy for x"
    assert balance.counts == {Finding.DIFFERED: 1, Finding.DROPPED: 1}
