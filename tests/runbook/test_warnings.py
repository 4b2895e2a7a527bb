"""What people are told of in time, and what the migration gives way for."""

from datetime import timedelta

import pytest

from crossfade.model import ends, events
from crossfade.model.plan import ReplicationLimits, SourceLimits
from crossfade.model.seen import Link
from crossfade.model.terms import Outcome, Phase
from crossfade.runbook.warning import without_backup
from tests.engine.world import Bench, plan

CAREFUL = plan(needs_backup_link=True)


def in_canary(bench: Bench) -> bool:
    return bench.phase is Phase.CANARY


def waits_for_backup(bench: Bench) -> bool:
    waits = bench.state.waits
    return waits is not None and (waits.gate, waits.cause) == ("link_backed", "no_backup")


def subjects(bench: Bench) -> list[str]:
    return [warned.subject for warned in bench.events(events.Warned)]


def link(name: str, *, up: bool, redundant: bool = True) -> Link:
    return Link(name=name, up=up, redundant=redundant)


def test_a_path_has_a_backup_only_when_two_redundant_ones_are_up() -> None:
    vpn, direct = link("vpn", up=True), link("direct connect", up=True)
    assert without_backup((vpn, direct)) is None
    assert without_backup((link("database", up=True, redundant=False),)) is None
    assert without_backup((vpn, link("direct connect", up=False))) == (
        "vpn alone carries the traffic between the sites: direct connect down"
    )
    assert without_backup((vpn,)) == "vpn alone carries the traffic between the sites"
    assert "no path" in str(without_backup((link("vpn", up=False), link("direct connect", up=False))))


def test_no_cutover_begins_when_the_link_has_no_backup_and_it_goes_on_when_it_has_one_again() -> None:
    bench = Bench(CAREFUL)
    bench.run_until(in_canary)
    bench.world.links["vpn"] = False
    bench.run_until(waits_for_backup)
    for _ in range(50):
        bench.engine().tick()
    assert not [end for end in bench.world.reached if isinstance(end, ends.SwitchPrepared | ends.WriterIs)]
    assert subjects(bench) == ["link"]
    bench.world.links["vpn"] = True
    bench.run_until(lambda bench: bench.phase is Phase.BAKE)
    assert [ended.subject for ended in bench.events(events.WarningEnded)] == ["link"]
    assert bench.engine().run() is Outcome.COMPLETED


def test_the_switch_waits_when_the_backup_is_lost_while_the_data_is_verified() -> None:
    bench = Bench(CAREFUL)

    def hear(end: ends.End) -> None:
        if isinstance(end, ends.DataVerified) and bench.phase is Phase.CUTOVER:
            bench.world.links["direct connect"] = False

    bench.world.hear = hear
    bench.run_until(waits_for_backup)
    assert not [end for end in bench.world.reached if isinstance(end, ends.SwitchPrepared | ends.WriterIs)]


def test_cutover_waits_when_nothing_is_known_of_the_link() -> None:
    bench = Bench(CAREFUL)
    bench.world.blind.add("links")
    bench.run_until(lambda bench: any(w.gate == "link_backed" for w in bench.events(events.GateWaits)))
    assert bench.events(events.GateWaits)[-1].cause == "no_data"


def test_cutover_begins_without_a_backup_when_a_person_overrides_or_the_file_allows_it() -> None:
    bench = Bench(CAREFUL)
    bench.world.links["vpn"] = False
    bench.run_until(waits_for_backup)
    bench.say(events.Overridden(reason="the provider mends it by noon", until=bench.clock.now() + timedelta(minutes=5)))
    assert bench.engine().run() is Outcome.COMPLETED

    bench = Bench(plan())
    bench.world.links["vpn"] = False
    assert bench.engine().run() is Outcome.COMPLETED


def test_nothing_turns_back_when_the_backup_is_lost_after_the_cutover() -> None:
    bench = Bench(CAREFUL)
    bench.run_until(lambda bench: bench.phase is Phase.BAKE)
    bench.world.links["vpn"] = False
    assert bench.engine().run() is Outcome.COMPLETED
    assert subjects(bench) == ["link"]


def test_people_are_told_once_when_the_source_keeps_much_wal_and_it_gives_way_at_the_limit() -> None:
    limits = ReplicationLimits(warn_wal_bytes=50, retained_wal_bytes=100)
    bench = Bench(plan(replication=limits))
    bench.run_until(in_canary)
    bench.world.retained_wal_bytes = 60
    for _ in range(20):
        bench.clock.sleep_until(bench.engine().tick() or bench.clock.now())
    assert subjects(bench) == ["wal"]
    bench.world.retained_wal_bytes = 101
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert [turned.cause for turned in bench.events(events.RollbackDecided)] == ["replication"]


def test_it_rolls_back_when_the_source_runs_out_of_connections_for_some_time_but_never_before_it_was_said() -> None:
    bench = Bench(plan(source=SourceLimits(patience=timedelta(seconds=10))))
    bench.run_until(in_canary)
    bench.world.connections = 97
    assert bench.engine().run() is Outcome.ROLLED_BACK
    entries = bench.journal.read()
    told = next(entry.at for entry in entries if isinstance(entry.event, events.Warned))
    turned = next(entry for entry in entries if isinstance(entry.event, events.RollbackDecided))
    assert isinstance(turned.event, events.RollbackDecided)
    assert turned.event.cause == "source"
    assert turned.at - told >= timedelta(seconds=10)


def test_it_goes_on_when_connections_are_scarce_but_not_out() -> None:
    bench = Bench(plan())
    bench.world.connections = 90
    assert bench.engine().run() is Outcome.COMPLETED
    assert subjects(bench) == ["connections"]


@pytest.mark.parametrize(("free", "outcome"), [(60, Outcome.COMPLETED), (40, Outcome.ROLLED_BACK)])
def test_the_source_s_disk_is_told_of_and_given_way_for_when_it_is_nearly_full(free: int, outcome: Outcome) -> None:
    limits = SourceLimits(free_disk_warn_bytes=100, free_disk_give_way_bytes=50)
    bench = Bench(plan(source=limits))
    bench.run_until(in_canary)
    bench.world.free_disk_bytes = free
    assert bench.engine().run() is outcome
    assert subjects(bench) == ["disk"]


def test_nothing_is_given_back_when_the_source_takes_no_writes_any_more() -> None:
    bench = Bench(plan())
    bench.run_until(lambda bench: bench.phase is Phase.BAKE)
    bench.world.connections, bench.world.free_disk_bytes = 100, 0
    assert bench.engine().run() is Outcome.COMPLETED
    assert set(subjects(bench)) == {"connections", "disk"}


def test_it_is_not_told_again_and_again_when_a_value_lingers_about_its_limit() -> None:
    bench = Bench(plan())
    bench.run_until(in_canary)
    engine = bench.engine()
    for tick in range(200):
        bench.world.connections = 81 if tick % 2 else 79
        bench.clock.sleep_until(engine.tick() or bench.clock.now())
    assert subjects(bench) == ["connections"]
    assert not bench.events(events.WarningEnded)
