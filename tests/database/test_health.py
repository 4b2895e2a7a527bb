"""How the source is, asked of a real server."""

import re
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from crossfade.database.health import PostgresWatch, free_disk_of
from crossfade.model import events
from crossfade.model.plan import SourceLimits
from crossfade.model.seen import SourceHealth
from crossfade.model.terms import NoData, Outcome, Phase, Side
from tests.database.conftest import Pair
from tests.engine.world import Bench, plan
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

AT_ONCE = timedelta(0)


@pytest.fixture
def watch(pair: Pair) -> PostgresWatch:
    return PostgresWatch(pair.dsn(Side.SOURCE, "crossfade"), every=AT_ONCE)


def seen(watch: PostgresWatch) -> SourceHealth:
    found = watch.health()
    assert isinstance(found, SourceHealth)
    return found


def test_connections_are_counted_and_ours_among_them(pair: Pair, watch: PostgresWatch) -> None:
    others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    wait_for(lambda: not pair.rows(Side.SOURCE, others))  # a server notices a little later that a client is gone
    seen(watch)
    wait_for(lambda: len(pair.rows(Side.SOURCE, others)) == 1)
    before = seen(watch)
    with ExitStack() as stack:
        for user in ("postgres", "postgres", "crossfade"):
            stack.enter_context(pair.connect(Side.SOURCE, user))
        now = seen(watch)
    assert now.connections == before.connections + 3
    assert now.our_sessions == before.our_sessions + 1
    assert now.most_connections == 397  # three of the 400 are kept for superusers
    watch.close()


def test_wal_on_disk_and_what_a_slot_may_keep_are_known(pair: Pair, watch: PostgresWatch) -> None:
    def on_disk() -> int:
        files = (pair.clusters.source.data / "pg_wal").iterdir()
        return sum(file.stat().st_size for file in files if re.fullmatch("[0-9A-F]{24}", file.name))

    before = on_disk()
    for _ in range(2):
        pair.rows(Side.SOURCE, "SELECT pg_switch_wal() FROM pg_logical_emit_message(false, 'test', 'x')")
    assert before > 0
    wait_for(lambda: seen(watch).wal_bytes == on_disk())  # a checkpoint may have its turn between the two
    assert seen(watch).slot_wal_limit_bytes == 2 * 2**30
    watch.close()


def test_a_look_costs_the_source_a_few_milliseconds(watch: PostgresWatch) -> None:
    seen(watch)
    wait_for(lambda: seen(watch).look < timedelta(milliseconds=10))  # once nobody else has the processor
    watch.close()


def test_nothing_is_known_and_nothing_raised_when_the_source_is_away(pair: Pair, watch: PostgresWatch) -> None:
    seen(watch)
    pair.rows(
        Side.SOURCE, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crossfade watch'"
    )
    assert isinstance(watch.health(), NoData)
    wait_for(lambda: isinstance(watch.health(), SourceHealth))  # the next look makes a session anew
    assert isinstance(PostgresWatch("host=127.0.0.1 port=1 dbname=none user=nobody").health(), NoData)
    watch.close()


def test_the_source_is_not_asked_more_often_than_wanted(pair: Pair) -> None:
    seldom = PostgresWatch(pair.dsn(Side.SOURCE, "crossfade"), every=timedelta(hours=1))
    first = seldom.health()
    with pair.connect(Side.SOURCE):
        assert seldom.health() is first
    seldom.close()


def test_the_disk_is_known_where_somebody_at_the_site_can_say(tmp_path: Path) -> None:
    free = free_disk_of(tmp_path)()
    assert free is not None
    assert free > 0
    assert free_disk_of(tmp_path / "nowhere")() is None


def test_people_are_told_and_it_rolls_back_when_a_real_source_runs_out_of_connections(
    pair: Pair, watch: PostgresWatch
) -> None:
    limits = SourceLimits(connections_warn=0.05, connections_give_way=0.1)  # of 397
    bench = Bench(plan(source=limits))
    bench.world.ask_source = watch.health
    bench.run_until(lambda bench: bench.phase is Phase.CANARY)
    assert not bench.events(events.Warned)
    with ExitStack() as stack:
        for _ in range(45):
            stack.enter_context(pair.connect(Side.SOURCE))
        assert bench.engine().run() is Outcome.ROLLED_BACK
    assert [warned.subject for warned in bench.events(events.Warned)] == ["connections"]
    assert [turned.cause for turned in bench.events(events.RollbackDecided)] == ["source"]
    watch.close()


def test_people_are_told_and_it_rolls_back_when_the_source_s_disk_is_nearly_full(pair: Pair) -> None:
    free = [150]
    watch = PostgresWatch(pair.dsn(Side.SOURCE, "crossfade"), free_disk_bytes=lambda: free[0], every=AT_ONCE)
    bench = Bench(plan(source=SourceLimits(free_disk_warn_bytes=100, free_disk_give_way_bytes=50)))
    bench.world.ask_source = watch.health
    bench.run_until(lambda bench: bench.phase is Phase.CANARY)
    free[0] = 90
    bench.run_until(lambda bench: bool(bench.events(events.Warned)))
    assert not bench.events(events.RollbackDecided)
    free[0] = 40
    assert bench.engine().run() is Outcome.ROLLED_BACK
    watch.close()
