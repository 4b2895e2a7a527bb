import dataclasses
import inspect
from typing import assert_type

import pytest

from crossfade.facade import (
    Facade,
    Finding,
    Health,
    InMemoryFlags,
    Mode,
    NothingDone,
    Rollout,
    SettingsInvalid,
    Terms,
    segment,
)
from tests.facade.doubles import PATIENT, Receiver, all_in, legacy, modern, whom
from tests.waiting import wait_for

INSIDE = next(user for user in map(str, range(1000)) if segment(user) < 5)
OUTSIDE = next(user for user in map(str, range(1000)) if segment(user) >= 15)


def failing(user: str) -> str:
    raise ConnectionError(user)


def missing(user: str) -> str:
    raise LookupError(user)


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
        balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
        assert assert_type(balance(INSIDE), str) == f"{inside} for {INSIDE}"
        assert balance(OUTSIDE) == f"legacy for {OUTSIDE}"


def test_users_move_with_the_flag_and_nobody_moves_back_when_it_rises() -> None:
    flags = InMemoryFlags()
    moved: set[str] = set()
    users = list(map(str, range(300)))
    for percent in (5, 15, 25, 90, 100):
        flags.set("balance", Mode.MODERN, percent)
        with Facade(flags, settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
            now = {user for user in users if balance(user).startswith("modern")}
        assert moved <= now
        assert abs(len(now) - 3 * percent) < 35
        moved = now
    assert moved == set(users)


def test_all_experiments_follow_one_flag_when_the_settings_name_one() -> None:
    flags = InMemoryFlags(ledger=Rollout(mode=Mode.MODERN), balance=Rollout(mode=Mode.LEGACY))
    with Facade(flags, settings=dataclasses.replace(PATIENT, flag="ledger")) as facade:
        for name in ("balance", "history"):
            one = facade.experiment(name, legacy=legacy, modern=modern, user=whom, side_effects=False)
            assert one("x") == "modern for x"


def test_legacy_answers_when_no_user_is_named_unless_the_rollout_is_to_everybody() -> None:
    for percent, expected in ((99.999, "legacy for x"), (100.0, "modern for x")):
        with Facade(all_in(Mode.MODERN, percent), settings=PATIENT) as facade:
            balance = facade.experiment(
                "balance", legacy=legacy, modern=modern, user=lambda user: None, side_effects=False
            )
            assert balance("x") == expected


def test_it_is_counted_and_the_call_answered_when_the_user_cannot_be_found() -> None:
    for percent, expected in ((99.999, "legacy for x"), (100.0, "modern for x")):
        with Facade(all_in(Mode.MODERN, percent), settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=modern, user=missing, side_effects=False)
            assert balance("x") == expected
            assert balance.counts == {Finding.UNIDENTIFIED: 1}


def test_it_shows_legacys_signature_and_documentation() -> None:
    def documented(account: str, *, at: int = 0) -> str:
        """What the account holds."""
        return account

    with Facade(all_in(Mode.LEGACY)) as facade:
        balance = facade.experiment(
            "balance", legacy=documented, modern=documented, user=lambda account, *, at=0: account, side_effects=False
        )
    assert str(inspect.signature(balance)) == "(account: str, *, at: int = 0) -> str"
    assert (balance.__doc__, balance.name) == ("What the account holds.", "balance")


def test_arguments_reach_either_implementation_as_they_were_given() -> None:
    def either(side: str, *, scale: int = 2) -> tuple[str, int]:
        return side, scale

    for mode in Mode:
        with Facade(all_in(mode), settings=PATIENT) as facade:
            balance = facade.experiment(
                "balance", legacy=either, modern=either, user=lambda side, *, scale=2: side, side_effects=False
            )
            assert balance("x", scale=7) == ("x", 7)


class TestFallback:
    def test_legacy_answers_and_it_is_told_when_modern_fails(self) -> None:
        published = Receiver()
        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), publish=published, settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=failing, user=whom, side_effects=False)
            assert balance("x") == "legacy for x"
            wait_for(lambda: published.got)
        assert published.got[0].finding is Finding.FELL_BACK
        assert published.got[0].candidate is not None
        assert published.got[0].candidate.raised == "builtins.ConnectionError"
        assert balance.counts == {Finding.FELL_BACK: 1}

    def test_legacys_own_exception_is_raised_when_both_fail(self) -> None:
        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=missing, modern=failing, user=whom, side_effects=False)
            with pytest.raises(LookupError) as raised:
                balance("x")
        assert raised.value.__context__ is None

    def test_the_exception_is_the_answer_when_it_is_expected(self) -> None:
        health = Health(window=1, minimum=1)
        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), health=health, settings=PATIENT) as facade:
            terms: Terms[str] = Terms(expected=(LookupError,))
            balance = facade.experiment(
                "balance", legacy=legacy, modern=missing, user=whom, side_effects=False, terms=terms
            )
            with pytest.raises(LookupError):
                balance("x")
        assert health.sent_back is None
        assert balance.counts == {}

    def test_the_failure_reaches_the_caller_when_modern_stands_alone(self) -> None:
        with Facade(all_in(Mode.MODERN), settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=failing, user=whom, side_effects=False)
            with pytest.raises(ConnectionError):
                balance("x")
        assert balance.counts == {Finding.FAILED: 1}

    def test_legacy_does_not_do_it_again_when_modern_may_have_done_it(self) -> None:
        done: list[str] = []
        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
            pay = facade.experiment("balance", legacy=done.append, modern=failing, user=whom, side_effects=True)
            with pytest.raises(ConnectionError):
                pay("x")
        assert done == []

    def test_legacy_does_it_when_modern_says_that_it_has_done_nothing(self) -> None:
        def refusing(user: str) -> None:
            raise NothingDone

        done: list[str] = []
        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
            pay = facade.experiment("balance", legacy=done.append, modern=refusing, user=whom, side_effects=True)
            pay("x")
        assert done == ["x"]

    def test_only_named_failures_fall_back_when_they_are_named(self) -> None:
        terms: Terms[str] = Terms(fall_back_on=(ConnectionError,))
        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
            for implementation in (failing, missing):
                balance = facade.experiment(
                    "balance", legacy=legacy, modern=implementation, user=whom, side_effects=True, terms=terms
                )
                if implementation is failing:
                    assert balance("x") == "legacy for x"
                else:
                    with pytest.raises(LookupError):
                        balance("x")

    def test_the_program_ends_when_modern_says_so(self) -> None:
        def ending(user: str) -> str:
            raise SystemExit(3)

        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=ending, user=whom, side_effects=False)
            with pytest.raises(SystemExit):
                balance("x")


class TestHealth:
    def test_everybody_goes_back_when_somebody_says_so_and_returns_when_readmitted(self) -> None:
        with Facade(all_in(Mode.MODERN), settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
            assert balance("x") == "modern for x"
            facade.health.send_back("the target is on fire")
            facade.health.send_back("and the water is out")
            assert balance("x") == "legacy for x"
            assert facade.health.sent_back == "the target is on fire"
            facade.health.readmit()
            assert balance("x") == "modern for x"

    def test_everybody_goes_back_when_too_many_modern_calls_fail(self) -> None:
        health = Health(window=10, minimum=4, limit=0.5)
        with Facade(all_in(Mode.MODERN_WITH_FALLBACK), health=health, settings=PATIENT) as facade:
            asked: list[str] = []

            def half_failing(user: str) -> str:
                asked.append(user)
                if len(asked) % 2 == 0:
                    raise ConnectionError(user)
                return modern(user)

            balance = facade.experiment("balance", legacy=legacy, modern=half_failing, user=whom, side_effects=False)
            answers = [balance("x") for _ in range(6)]
        assert answers == ["modern for x", "legacy for x"] * 2 + ["legacy for x"] * 2
        assert len(asked) == 4
        assert health.sent_back == "2 of the newest 4 modern calls have failed"

    def test_nobody_goes_back_while_failures_are_few(self) -> None:
        health = Health(window=100, minimum=10, limit=0.5)
        for number in range(1000):
            health.record(failed=number % 5 == 0)
        assert health.sent_back is None

    def test_old_failures_are_forgotten_when_the_window_moves_on(self) -> None:
        health = Health(window=10, minimum=10, limit=0.5)
        for failed in [True] * 4 + [False] * 10 + [True] * 4:
            health.record(failed=failed)
        assert health.sent_back is None

    def test_failures_from_before_are_forgotten_when_users_are_readmitted(self) -> None:
        health = Health(window=10, minimum=2, limit=0.5)
        for _ in range(2):
            health.record(failed=True)
        assert health.sent_back is not None
        health.readmit()
        health.record(failed=True)
        assert [health.sent_back] == [None]

    def test_nothing_is_shadowed_when_everybody_is_sent_back(self) -> None:
        with Facade(all_in(Mode.SHADOW), settings=PATIENT) as facade:
            asked: list[str] = []
            balance = facade.experiment("balance", legacy=asked.append, modern=failing, user=whom, side_effects=False)
            facade.health.send_back("the target is on fire")
            balance("x")
        assert balance.counts == {}

    def test_settings_are_refused_when_they_make_no_sense(self) -> None:
        with pytest.raises(SettingsInvalid) as refused:
            Health(window=1, minimum=2, limit=0)
        assert len(refused.value.faults) == 2


def test_experiment_is_refused_when_one_side_is_async_and_it_has_no_name() -> None:
    async def coroutine(user: str) -> str:
        return user

    with Facade(all_in(Mode.MODERN)) as facade, pytest.raises(SettingsInvalid) as refused:
        facade.experiment("", legacy=legacy, modern=coroutine, user=whom, side_effects=False)
    assert len(refused.value.faults) == 2
