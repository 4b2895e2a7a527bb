"""What the world refuses by itself, whoever asks and however late."""

from dataclasses import replace

import pytest

from crossfade.checks.memory import InMemoryChecks
from crossfade.database.errors import SideUnreachable
from crossfade.database.memory import InMemoryDatabase
from crossfade.engine.clock import VirtualClock
from crossfade.engine.world import Roles, RolesWorld
from crossfade.files.memory import MemoryFiles
from crossfade.metrics.memory import InMemoryMetrics
from crossfade.model import ends
from crossfade.model.events import EndMissed, EndReached
from crossfade.model.seen import Finding, Severity
from crossfade.model.terms import NEITHER, Side
from crossfade.network.memory import InMemoryNetwork
from crossfade.servers.memory import MemoryServers
from crossfade.traffic.memory import InMemoryRouter
from crossfade.verify.memory import MemoryVerifier
from tests.engine.world import START


@pytest.fixture
def router() -> InMemoryRouter:
    return InMemoryRouter()


@pytest.fixture
def database() -> InMemoryDatabase:
    return InMemoryDatabase()


@pytest.fixture
def world(router: InMemoryRouter, database: InMemoryDatabase) -> RolesWorld:
    servers = MemoryServers(["web-1"])
    for verb in (servers.replicate, servers.launch_test, servers.end_test, servers.launch_cutover):
        verb()
    roles = Roles(
        database=database,
        router=router,
        metrics=InMemoryMetrics(),
        servers=servers,
        files=MemoryFiles(),
        network=InMemoryNetwork(),
        checks=InMemoryChecks(),
        verifier=MemoryVerifier(),
    )
    return RolesWorld(roles, VirtualClock(START))


def test_what_preflight_warns_of_and_what_was_accepted_are_told_apart_when_nothing_blocks(
    world: RolesWorld, database: InMemoryDatabase
) -> None:
    warned = Finding(severity=Severity.WARNING, subject="table shop.log", problem="it is unlogged", remedy="-")
    database.findings = (replace(warned, subject="table shop.cache", accepted="a cache"), warned)
    reached = world.bring_about(ends.PreflightClean(), order=0)
    assert isinstance(reached, EndReached)
    assert reached.facts == {
        "warning 1": "table shop.log: it is unlogged",
        "accepted 1": "table shop.cache: it is unlogged; accepted: a cache",
    }


def test_a_blocker_stops_whatever_is_accepted(world: RolesWorld, database: InMemoryDatabase) -> None:
    blocks = Finding(severity=Severity.BLOCKER, subject="table shop.plain", problem="no identity", remedy="add one")
    database.findings = (blocks, replace(blocks, severity=Severity.WARNING, subject="x", accepted="so be it"))
    missed = world.bring_about(ends.PreflightClean(), order=0)
    assert isinstance(missed, EndMissed)
    assert not missed.retryable
    assert missed.facts == {"table shop.plain": "no identity — add one"}


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [(True, False, "source"), (False, True, "target"), (False, False, NEITHER), (True, True, None), (None, True, None)],
)
@pytest.mark.parametrize("end", [ends.WriterIs(side=Side.TARGET, epoch=1), ends.ReplicationRemoved()])
def test_who_writes_is_said_after_a_miss_only_where_both_sides_say_so(
    world: RolesWorld,
    database: InMemoryDatabase,
    end: ends.WriterIs | ends.ReplicationRemoved,
    source: bool | None,
    target: bool,
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise SideUnreachable(Side.SOURCE, "connection refused")

    for verb in ("switch", "remove_replication"):
        monkeypatch.setattr(InMemoryDatabase, verb, fail)
    database.sides[Side.SOURCE].reachable = source is not None
    database.sides[Side.SOURCE].open, database.sides[Side.TARGET].open = bool(source), target
    missed = world.bring_about(end, 1)
    assert isinstance(missed, EndMissed)
    assert missed.facts == {"writer": said}


@pytest.mark.parametrize("trouble", ["users", "in flight", "silent"])
def test_modern_servers_stay_while_somebody_may_be_on_them(
    world: RolesWorld, router: InMemoryRouter, trouble: str
) -> None:
    end = ends.CutoverInstancesGone()
    if trouble == "users":
        router.set_shares(5.0)
    if trouble == "in flight":
        router.in_flight[Side.TARGET] = 1
    if trouble == "silent":
        router.stop()
    missed = world.bring_about(end, 1)
    assert isinstance(missed, EndMissed)
    assert missed.retryable
    router.start()
    router.set_shares(0.0)
    router.in_flight[Side.TARGET] = 0
    assert isinstance(world.bring_about(end, 2), EndReached)
