"""Nothing about a person leaves a facade, whatever implementations return and raise."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from crossfade.facade import Facade, FacadeSettings, Finding, Mode, Observation, SettingsInvalid, Terms, guard_effect
from crossfade.facade.observation import Masking
from crossfade.facade.outcome import Raised, Returned
from tests.facade.doubles import PATIENT, Receiver, all_in, whom
from tests.waiting import wait_for

PLANTED = "jane.doe@example.com"


class Account:
    def __init__(self, owner: str) -> None:
        self.owner = owner

    def __repr__(self) -> str:
        return f"Account({self.owner})"


def returning(owner: str) -> Account:
    return Account(owner)


def raising(owner: str) -> Account:
    raise LookupError(owner)


def refused(owner: str) -> Account:
    guard_effect("send mail")
    return Account(owner)


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.MODERN_WITH_FALLBACK, Mode.MODERN])
@pytest.mark.parametrize("candidate", [returning, raising, refused])
def test_planted_data_is_found_in_no_observation_and_no_log(
    mode: Mode, candidate: Callable[[str], Account], caplog: pytest.LogCaptureFixture
) -> None:
    published = Receiver()
    with caplog.at_level(logging.DEBUG), Facade(all_in(mode), publish=published, settings=PATIENT) as facade:
        account = facade.experiment("balance", legacy=returning, modern=candidate, user=whom, side_effects=False)
        try:
            account(PLANTED)
        except LookupError:
            assert mode is Mode.MODERN
        if mode is Mode.SHADOW or candidate is raising:
            wait_for(lambda: published.got)
    assert PLANTED not in repr(published.got)
    assert PLANTED not in caplog.text
    assert [observation.user for observation in published.got if observation.user is None] == []


def test_only_what_the_mask_lets_through_is_shown() -> None:
    published = Receiver()
    terms: Terms[Account] = Terms(mask=lambda account: {"domain": account.owner.partition("@")[2]})
    with Facade(all_in(Mode.SHADOW), publish=published, settings=PATIENT) as facade:
        account = facade.experiment(
            "balance", legacy=returning, modern=returning, user=whom, side_effects=False, terms=terms
        )
        account(PLANTED)
        wait_for(lambda: published.got)
    control, candidate = published.got[0].control, published.got[0].candidate
    assert control is not None
    assert candidate is not None
    assert control.shown == candidate.shown == {"domain": "example.com"}
    assert control.digest == candidate.digest
    assert published.got[0].finding is Finding.DIFFERED  # accounts have no equality, their digests tell more
    assert PLANTED not in repr(published.got)


def test_nothing_is_shown_when_the_mask_fails() -> None:
    def failing(value: object) -> object:
        raise ValueError(PLANTED)

    answer = Masking(b"k" * 32).answer(Returned(Account(PLANTED), 0.1), failing)
    assert answer is not None
    assert answer.shown == "cannot be told: ValueError"


def test_values_that_cannot_be_written_are_told_as_that() -> None:
    class Unwritable:
        def __repr__(self) -> str:
            raise RuntimeError(PLANTED)

    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError(PLANTED)

    masking = Masking(b"k" * 32)
    for outcome in (Returned(Unwritable(), 0.1), Raised(Unspeakable(), 0.1)):
        answer = masking.answer(outcome)
        assert answer is not None
        assert PLANTED not in repr(answer)


def test_digests_tell_equal_from_different_and_nothing_without_the_secret() -> None:
    one, other = Masking(b"1" * 32), Masking(b"2" * 32)
    assert one.user("jane") == one.user("jane") != one.user("joe")
    assert one.user("jane") != other.user("jane")
    assert one.user(None) is None
    values: list[Any] = [one.answer(Returned(value, 0.0)) for value in ("jane", "jane", "joe")]
    assert values[0] == values[1] != values[2]


def test_digests_of_two_processes_match_when_the_secret_is_given() -> None:
    received: list[Observation] = []

    def reached(number: int) -> bool:
        return len(received) == number

    settings = FacadeSettings(secret=b"a secret of 16 b", deadline=PATIENT.deadline)
    for expected in (1, 2):
        with Facade(all_in(Mode.SHADOW), publish=received.append, settings=settings) as facade:
            account = facade.experiment("balance", legacy=returning, modern=returning, user=whom, side_effects=False)
            account(PLANTED)
            wait_for(partial(reached, expected))
    assert received[0].user == received[1].user


def test_ratio_of_latencies_is_told_when_both_sides_have_ended() -> None:
    published = Receiver()
    with Facade(all_in(Mode.SHADOW), publish=published, settings=PATIENT) as facade:
        account = facade.experiment("balance", legacy=returning, modern=returning, user=whom, side_effects=False)
        account(PLANTED)
        wait_for(lambda: published.got)
    told = published.got[0]
    assert told.control is not None
    assert told.candidate is not None
    assert told.latency_ratio == told.candidate.seconds / told.control.seconds
    assert told.at.tzinfo is not None


def test_the_secret_is_not_told_and_a_short_one_is_refused_with_all_other_faults() -> None:
    assert "secret" not in repr(FacadeSettings(secret=b"a secret of 16 b"))
    with pytest.raises(SettingsInvalid) as refusal:
        FacadeSettings(secret=b"short", shadows=0, waiting=0, salt="a\0b", flag="")
    assert len(refusal.value.faults) == 5
    assert refusal.value.remedy
