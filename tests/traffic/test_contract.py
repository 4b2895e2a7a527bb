"""What every router must do, asked of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side
from crossfade.traffic.errors import MirrorNotOffered, ShareNotOnLadder
from crossfade.traffic.memory import InMemoryRouter
from crossfade.traffic.port import Overtaken, PercentOutOfRange, Router, RouterUnreachable
from tests.traffic.kubernetes import STOPS, installed, shifting
from tests.traffic.running import routed

STOPS_ON: dict[str, dict[str, Any]] = {
    "nginx": {"traffic__ladder__stops": [*STOPS]},
    "istio": {"traffic__ladder__stops": [stop for stop in STOPS if stop == round(stop)]},
}


@dataclass
class Case:
    """With what not every router can: count requests, keep what is asked for while it is down, mirror, fractions."""

    router: Router
    stop: Callable[[], None]
    start: Callable[[], None]
    counts_requests: bool = True
    keeps_wishes: bool = True
    mirrors: bool = True
    divides_percents: bool = True


@pytest.fixture(params=["memory", "argo on nginx", "argo on istio", pytest.param("envoy", marks=pytest.mark.parts)])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    if request.param == "memory":
        router = InMemoryRouter()
        yield Case(router=router, stop=router.stop, start=router.start)
    elif request.param.startswith("argo"):
        routing = request.param.split()[-1]
        with shifting(installed(**STOPS_ON[routing], kubernetes__routing=routing)) as running:
            yield Case(
                router=running.router,
                stop=running.stop,
                start=running.start,
                counts_requests=False,
                keeps_wishes=False,
                mirrors=routing == "istio",
                divides_percents=routing == "nginx",
            )
    else:
        with routed(servers_of_each=1) as running:
            yield Case(router=running.router, stop=running.kill, start=running.start)


def test_nobody_is_modern_when_nothing_was_asked_yet(case: Case) -> None:
    assert case.router.shares() == Shares(canary_percent=0)


@pytest.mark.parametrize("percent", [0, 5, 12.5, 90, 99.999, 100])
def test_share_is_reported_when_it_was_set(case: Case, percent: float) -> None:
    if percent != round(percent) and not case.divides_percents:
        with pytest.raises(ShareNotOnLadder):
            case.router.set_shares(percent)
        assert case.router.shares() == Shares(canary_percent=0)
        return
    assert case.router.set_shares(percent) == Shares(canary_percent=percent)
    assert case.router.shares() == Shares(canary_percent=percent)


def test_same_share_again_changes_nothing_when_it_is_reached(case: Case) -> None:
    case.router.set_shares(25)
    assert case.router.set_shares(25) == Shares(canary_percent=25)


def test_mirror_and_share_stand_beside_each_other_when_both_are_set(case: Case) -> None:
    if not case.mirrors:
        with pytest.raises(MirrorNotOffered):
            case.router.mirror(10)
        assert case.router.shares() == Shares(canary_percent=0)
        return
    case.router.mirror(10)
    case.router.set_shares(25)
    assert case.router.shares() == Shares(canary_percent=25, mirror_percent=10)
    case.router.mirror(0)
    assert case.router.shares() == Shares(canary_percent=25)


@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan"), float("inf")])
def test_share_is_refused_when_it_is_no_percent(case: Case, percent: float) -> None:
    case.router.set_shares(30)
    with pytest.raises(PercentOutOfRange):
        case.router.set_shares(percent)
    with pytest.raises(PercentOutOfRange):
        case.router.mirror(percent)
    assert case.router.shares() == Shares(canary_percent=30)


def test_both_sides_are_drained_when_nobody_asks(case: Case) -> None:
    sides = [case.router.drained(side) for side in Side]
    if case.counts_requests:
        assert sides == [True, True]
    else:
        assert True not in sides  # both have pods, and nobody tells what they do


def test_looks_are_no_data_and_verbs_are_retryable_when_the_router_is_down(case: Case) -> None:
    case.stop()
    assert isinstance(case.router.shares(), NoData)
    assert isinstance(case.router.drained(Side.SOURCE), NoData)
    with pytest.raises(RouterUnreachable) as caught:
        case.router.set_shares(5)
    assert caught.value.retryable
    assert caught.value.remedy


def test_share_is_as_before_when_the_router_comes_back(case: Case) -> None:
    mirrored = 3 if case.mirrors else 0
    case.router.set_shares(45)
    case.router.mirror(mirrored)
    case.stop()
    case.start()
    assert case.router.shares() == Shares(canary_percent=45, mirror_percent=mirrored)


def test_share_asked_for_meanwhile_holds_when_the_router_comes_back(case: Case) -> None:
    case.router.set_shares(45)
    case.stop()
    with pytest.raises(RouterUnreachable):
        case.router.set_shares(0)
    case.start()
    assert case.router.shares() == Shares(canary_percent=0 if case.keeps_wishes else 45)


def test_a_share_that_comes_too_late_changes_nothing(case: Case) -> None:
    case.router.set_shares(25, 7)
    case.router.set_shares(0, 9)
    with pytest.raises(Overtaken):
        case.router.set_shares(25, 7)
    with pytest.raises(Overtaken):
        case.router.mirror(10, 8)
    assert case.router.shares() == Shares(canary_percent=0)
    assert case.router.set_shares(5, 9) == Shares(canary_percent=5)
    assert case.router.set_shares(0) == Shares(canary_percent=0)
