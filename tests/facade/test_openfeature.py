import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from crossfade.facade import (
    Facade,
    FacadeSettings,
    FlagUnanswered,
    Mode,
    Rollout,
    RolloutInvalid,
    Shares,
    SharesUnreadable,
    segment,
)
from crossfade.facade.openfeature_flags import OpenFeatureFlags
from crossfade.facade.provider import SharesProvider
from tests.facade.doubles import PATIENT, legacy, modern, whom
from tests.waiting import wait_for

DOMAIN = "facade"


@pytest.fixture
def flags() -> Iterator[OpenFeatureFlags]:
    yield OpenFeatureFlags(api.get_client(DOMAIN))
    api.clear_providers()


class Planned(InMemoryProvider):
    """Answers object flags as `answer` does; everything else of it is OpenFeature's own."""

    def __init__(self, answer: Any) -> None:
        super().__init__({})
        self.answer = answer

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        value: FlagResolutionDetails[Any] = self.answer(flag_key, default_value, evaluation_context)
        return value


def planned(answer: Any) -> Planned:
    provider = Planned(answer)
    api.set_provider_and_wait(provider, DOMAIN)
    return provider


def failing(*question: object) -> object:
    raise ConnectionError


def test_rollout_is_that_of_the_object_flag(flags: OpenFeatureFlags) -> None:
    variants: dict[str, FlagValueType] = {"ramp": {"mode": "modern_with_fallback", "percent": 15}}
    api.set_provider_and_wait(InMemoryProvider({"balance": InMemoryFlag("ramp", variants)}), DOMAIN)
    assert flags.rollout("balance") == Rollout(mode=Mode.MODERN_WITH_FALLBACK, percent=15)


def test_the_provider_learns_of_no_user(flags: OpenFeatureFlags) -> None:
    asked: list[EvaluationContext] = []

    def noting(flag: str, default: object, context: EvaluationContext) -> FlagResolutionDetails[Any]:
        asked.append(context)
        return FlagResolutionDetails(value={"mode": "modern", "percent": 100})

    planned(noting)
    with Facade(flags, settings=PATIENT) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
        assert balance("jane") == "modern for jane"
    assert [(context.targeting_key, dict(context.attributes)) for context in asked] == [(None, {})]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failing, FlagUnanswered),
        (lambda *question: FlagResolutionDetails(value={}), FlagUnanswered),
        (lambda *question: FlagResolutionDetails(value={"mode": "modern", "percent": 250}), RolloutInvalid),
        (lambda *question: FlagResolutionDetails(value="modern"), FlagUnanswered),
        (lambda *question: FlagResolutionDetails(value={}, error_code=ErrorCode.FLAG_NOT_FOUND), FlagUnanswered),
        (
            lambda *question: FlagResolutionDetails(
                value={"mode": "modern", "percent": 100}, error_code=ErrorCode.PROVIDER_NOT_READY
            ),
            FlagUnanswered,
        ),
        (lambda *question: None, FlagUnanswered),
    ],
)
def test_legacy_answers_when_the_provider_fails_or_lies(
    answer: Any, error: type[Exception], flags: OpenFeatureFlags
) -> None:
    planned(answer)
    with pytest.raises(error):
        flags.rollout("balance")
    with Facade(flags, settings=PATIENT) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
        assert balance("jane") == "legacy for jane"
        assert balance.flag_fault


def test_legacy_answers_when_no_provider_was_ever_set() -> None:
    with Facade(OpenFeatureFlags(), settings=PATIENT) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
        assert balance("jane") == "legacy for jane"
        assert balance.flag_fault == "the flag balance has no answer: its provider has no value for it"


def test_calls_go_on_when_the_provider_hangs_and_follow_it_when_it_recovers(flags: OpenFeatureFlags) -> None:
    released = threading.Event()

    def hanging(*question: object) -> FlagResolutionDetails[Any]:
        released.wait()
        return FlagResolutionDetails(value={"mode": "modern", "percent": 100})

    planned(hanging)
    settings = FacadeSettings(deadline=timedelta(milliseconds=10), fresh_for=timedelta(milliseconds=10))
    with Facade(flags, settings=settings) as facade:
        balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
        assert {balance("jane") for _ in range(100)} == {"legacy for jane"}
        released.set()
        wait_for(lambda: balance("jane") == "modern for jane")


class TestSharesProvider:
    @pytest.mark.parametrize(
        ("shares", "rollout"),
        [
            (Shares(canary_percent=0), Rollout(mode=Mode.LEGACY, percent=0)),
            (Shares(canary_percent=0, mirror_percent=10), Rollout(mode=Mode.SHADOW, percent=10)),
            (Shares(canary_percent=5, mirror_percent=10), Rollout(mode=Mode.MODERN_WITH_FALLBACK, percent=5)),
            (Shares(canary_percent=100), Rollout(mode=Mode.MODERN, percent=100)),
        ],
    )
    def test_a_facade_follows_the_shares(self, shares: Shares, rollout: Rollout, flags: OpenFeatureFlags) -> None:
        api.set_provider_and_wait(SharesProvider(lambda: shares), DOMAIN)
        assert flags.rollout("balance") == rollout

    @pytest.mark.parametrize("wrong", [-1.0, 101.0, float("nan")])
    def test_there_is_no_answer_when_shares_are_none(self, wrong: float, flags: OpenFeatureFlags) -> None:
        for shares in (Shares(canary_percent=wrong), Shares(canary_percent=0, mirror_percent=wrong)):
            api.set_provider_and_wait(SharesProvider([shares].pop), DOMAIN)
            with pytest.raises(FlagUnanswered):
                flags.rollout("balance")

    def test_any_client_can_ask_in_any_type(self) -> None:
        api.set_provider_and_wait(SharesProvider(lambda: Shares(canary_percent=15.5)), DOMAIN)
        client = api.get_client(DOMAIN)
        assert client.get_string_value("balance", "?") == "modern_with_fallback"
        assert client.get_float_value("balance", 0.0) == 15.5
        assert client.get_integer_value("balance", 0) == 15
        api.clear_providers()

    def test_a_boolean_says_what_a_facade_would_do_for_that_user(self) -> None:
        client = api.get_client(DOMAIN)
        users = [f"user-{number}" for number in range(200)]
        for share in (0.0, 15.5, 100.0):
            read = partial(Shares, canary_percent=share, mirror_percent=50)
            api.set_provider_and_wait(SharesProvider(read), DOMAIN)
            inside = [user for user in users if client.get_boolean_value("balance", False, EvaluationContext(user))]
            assert inside == [user for user in users if segment(user) < share]
        api.clear_providers()

    def test_a_boolean_needs_a_user_while_some_are_in_and_some_are_not(self) -> None:
        api.set_provider_and_wait(SharesProvider(lambda: Shares(canary_percent=50)), DOMAIN)
        details = api.get_client(DOMAIN).get_boolean_details("balance", False)
        assert details.error_code is ErrorCode.TARGETING_KEY_MISSING
        api.clear_providers()

    def test_there_is_no_answer_when_the_shares_cannot_be_read(self, flags: OpenFeatureFlags) -> None:
        def unreadable() -> Shares:
            raise SharesUnreadable("here", "nothing is")

        api.set_provider_and_wait(SharesProvider(unreadable), DOMAIN)
        with pytest.raises(FlagUnanswered):
            flags.rollout("balance")
