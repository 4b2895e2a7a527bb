"""A later cutover after a fail back on real servers: the whole runbook twice, and nothing is copied a second time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from crossfade.checks.memory import InMemoryChecks
from crossfade.database.native import NativeReplication
from crossfade.engine.again import await_as_left, standing
from crossfade.engine.clock import SteadyClock
from crossfade.engine.engine import Engine
from crossfade.engine.world import Roles, RolesWorld
from crossfade.files.memory import MemoryFiles
from crossfade.invariants import broken_rules_over
from crossfade.journal.memory import MemoryJournal
from crossfade.metrics.memory import InMemoryMetrics
from crossfade.model import ends
from crossfade.model.counts import ArmReading
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import EndMissed, EndReached, MigrationPlanned, RollbackRequested
from crossfade.model.plan import LadderStep, Plan
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Outcome, Phase, Side
from crossfade.network.memory import InMemoryNetwork
from crossfade.runbook.again import NotAsLeft, earlier
from crossfade.runbook.evolve import fold
from crossfade.servers.memory import MemoryServers
from crossfade.traffic.memory import InMemoryRouter
from crossfade.verify.postgres import PostgresVerifier, VerifySettings
from tests.database.conftest import Pair
from tests.database.shoppers import Shoppers

pytestmark = pytest.mark.parts

_REQUESTS = 2000
_SUBSCRIPTIONS = (
    "SELECT s.oid::bigint, s.subname, r.srrelid::bigint, r.srsubstate, r.srsublsn::text FROM pg_subscription s"
    " JOIN pg_database d ON d.oid = s.subdbid JOIN pg_subscription_rel r ON r.srsubid = s.oid"
    " WHERE d.datname = current_database() ORDER BY 2, 3"
)
_SLOTS = (
    "SELECT slot_name, (confirmed_flush_lsn - '0/0'::pg_lsn)::bigint FROM pg_replication_slots"
    " WHERE database = current_database() ORDER BY 1"
)
PLAN = Plan(
    migration="shop-1",
    ladder=(LadderStep(percent=50.0, bake=timedelta(0)), LadderStep(percent=100.0, bake=timedelta(0))),
    warm_up=timedelta(0),
    bake=timedelta(seconds=1),
    approvals=(),
    retry_after=timedelta(milliseconds=200),
    look_every=timedelta(milliseconds=50),
)


class BusyMetrics(InMemoryMetrics):
    """Healthy users, as many at each look, by the router's share."""

    def __init__(self, router: InMemoryRouter) -> None:
        super().__init__()
        self._router = router

    def arms(self) -> ArmReading | NoData:
        shares = self._router.shares()
        canary = 0.0 if isinstance(shares, NoData) else shares.canary_percent / 100
        for side, share in ((Side.SOURCE, 1 - canary), (Side.TARGET, canary)):
            for milliseconds in (5.0, 10.0, 20.0, 40.0):
                self.serve(side, milliseconds=milliseconds, times=round(_REQUESTS * share / 4))
        return super().arms()


@dataclass
class Watched:
    """The world, and what stands in the databases before each end is brought about."""

    world: RolesWorld
    pair: Pair
    subscriptions: list[list[Any]] = field(default_factory=list)
    slots: list[dict[str, int]] = field(default_factory=list)
    ended: bool = False

    def look(self, fields: frozenset[str], writer: Side) -> Seen:
        return self.world.look(fields, writer)

    def bring_about(self, end: End, order: int) -> EndReached | EndMissed:
        self.ended = self.ended or isinstance(end, ends.WayBackEnded)
        self.note()
        return self.world.bring_about(end, order)

    def note(self) -> None:
        """Until the way back ends, for then nothing of ours is left."""
        if not self.ended:
            self.subscriptions.append([self.pair.rows(side, _SUBSCRIPTIONS) for side in Side])
            self.slots.append(dict(row for side in Side for row in self.pair.rows(side, _SLOTS)))


@dataclass
class Shop:
    """A pair of databases with an engine; everything else that a migration has is in memory."""

    pair: Pair
    database: NativeReplication
    journals: list[tuple[Entry, ...]] = field(default_factory=list)
    clock: SteadyClock = field(default_factory=SteadyClock)
    patience: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        router = InMemoryRouter()
        source, target = (self.pair.dsn(side, "crossfade") for side in Side)
        roles = Roles(
            database=self.database,
            router=router,
            metrics=BusyMetrics(router),
            servers=MemoryServers(["web-1"]),
            files=MemoryFiles(),
            network=InMemoryNetwork(),
            checks=InMemoryChecks(),
            verifier=PostgresVerifier(VerifySettings(source=source, target=target, schemas=("shop",))),
        )
        self.watched = Watched(world=RolesWorld(roles, self.clock), pair=self.pair)

    def migrate(self, *, back_in: Phase | None = None) -> Outcome:
        """A journal more, to its end. Somebody asks to go back in the phase `back_in`."""
        journal = MemoryJournal()
        after = earlier(self.journals) if self.journals else None
        planned = MigrationPlanned(plan=PLAN, after=after)
        journal.append([planned], expected=0, at=self.clock.now(), by="test")
        engine = Engine(journal=journal, world=self.watched, clock=self.clock)
        asked = False
        while (again := engine.tick()) is not None:
            entries = journal.read()
            if fold(entries).phase is back_in and not asked:
                asked = True
                word = RollbackRequested(reason="try it again later")
                journal.append([word], expected=len(entries), at=self.clock.now(), by="ann")
            self.clock.sleep_until(again)
        self.journals.append(journal.read())
        outcome = fold(self.journals[-1]).outcome
        assert outcome is not None
        return outcome

    def await_as_left(self) -> None:
        limits, patience = PLAN.replication, self.patience
        await_as_left(earlier(self.journals), lambda: standing(self.database), limits, self.clock, patience)


@pytest.fixture
def shop(fresh_pair: Pair, fresh: NativeReplication) -> Shop:
    return Shop(pair=fresh_pair, database=fresh)


def reached(entries: Sequence[Entry]) -> Iterator[End]:
    return (entry.event.end for entry in entries if isinstance(entry.event, EndReached))


def test_a_later_cutover_copies_nothing_anew_and_loses_nothing_when_a_migration_has_failed_back(shop: Shop) -> None:
    with Shoppers(shop.pair) as shoppers:
        shoppers.wait_for_purchases()
        assert shop.migrate(back_in=Phase.BAKE) is Outcome.FAILED_BACK, shop.journals[-1][-3:]
        shoppers.wait_for_purchases()
        shop.await_as_left()
        shop.watched.subscriptions.clear()
        shop.watched.slots.clear()
        assert shop.migrate() is Outcome.COMPLETED, shop.journals[-1][-3:]
        shoppers.wait_for_purchases()
    assert shoppers.lost_and_doubled(Side.TARGET) == (0, 0)
    assert broken_rules_over(shop.journals) == ()

    noted, *later = shop.watched.subscriptions
    assert {state for of_side in noted for *_, state, _ in of_side} == {"r"}
    assert len(later) > 10
    assert all(standing == noted for standing in later)
    for before, after in zip(shop.watched.slots, shop.watched.slots[1:], strict=False):
        assert before.keys() == after.keys() == {"crossfade_from_source", "crossfade_from_target"}
        assert all(after[slot] >= before[slot] for slot in before)

    switches = [end for journal in shop.journals for end in reached(journal) if isinstance(end, ends.WriterIs)]
    assert [(end.side, end.epoch) for end in switches] == [(Side.TARGET, 1), (Side.SOURCE, 2), (Side.TARGET, 3)]
    again = list(reached(shop.journals[1]))
    assert ends.DataVerified(primary=Side.SOURCE, epoch=2) in again
    assert ends.DataVerified(primary=Side.TARGET, epoch=3) in again
    assert again.index(ends.WayBackAwake(primary=Side.TARGET, epoch=3)) < again.index(ends.WayBackEnded())


def _lose_slot(shop: Shop, side: Side) -> None:
    name = f"crossfade_from_{side}"
    with shop.pair.connect(side) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s", (name,)
        )
        for _ in range(500):
            try:
                connection.execute("SELECT pg_drop_replication_slot(%s)", (name,))
            except psycopg.errors.ObjectInUse:
                connection.execute("SELECT pg_sleep(0.01)")
            else:
                return
    raise AssertionError("the slot stays")


def test_it_does_not_begin_when_the_databases_are_not_as_the_fail_back_left_them(shop: Shop) -> None:
    with Shoppers(shop.pair) as shoppers:
        assert shop.migrate(back_in=Phase.BAKE) is Outcome.FAILED_BACK, shop.journals[-1][-3:]
        shoppers.wait_for_purchases()
    shop.await_as_left()
    asleep = "ALTER SUBSCRIPTION crossfade_from_source {}"
    shop.pair.rows(Side.TARGET, asleep.format("DISABLE"))
    shop.patience = timedelta(seconds=2)
    with pytest.raises(NotAsLeft, match="not alive"):
        shop.await_as_left()
    shop.pair.rows(Side.TARGET, asleep.format("ENABLE"))
    shop.patience = timedelta(seconds=60)
    shop.await_as_left()
    shop.patience = timedelta(seconds=2)
    _lose_slot(shop, Side.TARGET)
    with pytest.raises(NotAsLeft, match="slot") as refused:
        shop.await_as_left()
    assert "full load" in refused.value.remedy
    shop.database.switch(Side.SOURCE, 5)  # nothing to move, but the epoch is claimed
    with pytest.raises(NotAsLeft, match="epochs 5"):
        shop.await_as_left()
