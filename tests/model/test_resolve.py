from datetime import timedelta

from crossfade.model.plan import CountedLimits, NeededApproval
from crossfade.model.resolve import file_interval, plan_for_rehearsal
from crossfade.model.terms import Phase
from tests.model.file.files import sound, with_values

APPROVALS = [{"phase": "cutover", "by": ["ann", "bob"], "count": 2}]


def test_files_are_copied_as_often_as_planned_when_waits_are_shorter() -> None:
    file = sound(with_values(files__interval="10m", rehearsal__longest_wait="20s"))
    assert file_interval(file, 1.0) == timedelta(seconds=10)
    assert file_interval(file, 4.0) == timedelta(seconds=2.5)


def test_files_are_not_copied_more_often_than_twice_a_second_nor_less_often_than_the_longest_wait() -> None:
    assert file_interval(sound(with_values(files__interval="1s")), 1.0) == timedelta(milliseconds=500)
    assert file_interval(sound(with_values(files__interval="24h")), 1.0) == timedelta(seconds=30)


def test_approvals_are_those_of_the_file_and_the_rehearsal_stands_in_when_it_approves_by_itself() -> None:
    alone = plan_for_rehearsal(sound(with_values(approvals=APPROVALS)), "ledger-1", 1.0)
    assert alone.approvals == (NeededApproval(phase=Phase.CUTOVER, by=("ann", "bob"), count=2, stand_in="rehearsal"),)
    asked = plan_for_rehearsal(sound(with_values(approvals=APPROVALS, rehearsal__approve=False)), "ledger-1", 1.0)
    assert asked.approvals == (NeededApproval(phase=Phase.CUTOVER, by=("ann", "bob"), count=2),)


def test_failing_back_is_left_to_a_person_when_the_file_says_so() -> None:
    assert plan_for_rehearsal(sound(with_values()), "ledger-1", 1.0).fail_back_automatically
    file = sound(with_values(bake__fail_back_automatically=False))
    assert not plan_for_rehearsal(file, "ledger-1", 1.0).fail_back_automatically


def test_a_cutover_needs_a_backup_of_the_link_where_there_is_one_unless_the_file_says_otherwise() -> None:
    assert plan_for_rehearsal(sound(with_values()), "ledger-1", 1.0, through_wan=True).needs_backup_link
    assert not plan_for_rehearsal(sound(with_values()), "ledger-1", 1.0).needs_backup_link
    file = sound(with_values(connectivity__cut_over_without_backup=True))
    assert not plan_for_rehearsal(file, "ledger-1", 1.0, through_wan=True).needs_backup_link


def test_paths_of_the_link_are_named_as_the_file_describes_them() -> None:
    for values, names in (
        ({}, ("VPN tunnel 1", "VPN tunnel 2")),
        (
            {"connectivity__direct_connect": {"enabled": True, "connection": "dxcon-fg000001"}},
            ("VPN", "Direct Connect"),
        ),
    ):
        assert sound(with_values(**values)).connectivity.path_names() == names


def test_the_link_may_explain_twice_its_round_trip_unless_the_file_says_otherwise() -> None:
    def allowance(**values: object) -> timedelta:
        return plan_for_rehearsal(sound(with_values(**values)), "ledger-1", 4.0).judge.link_allowance

    assert allowance() == timedelta(0)
    assert allowance(rehearsal__wan_round_trip="20ms") == timedelta(milliseconds=40)
    assert allowance(rehearsal__wan_round_trip="20ms", limits__judge__link_allowance="25ms") == timedelta(
        milliseconds=25
    )
    assert allowance(rehearsal__wan_round_trip="20ms", limits__judge__link_allowance="0s") == timedelta(0)


def test_limits_of_the_source_are_those_of_the_file_but_for_the_disk_of_a_rehearsal() -> None:
    guard = {"connections_warn_percent": 50, "connections_give_way_percent": 60, "connections_patience": "5s"}
    values = {"database__replication__source_guard": guard, "database__replication__wal": {"warn_at": "1GB"}}
    plan = plan_for_rehearsal(sound(with_values(**values)), "ledger-1", 4.0)
    assert (plan.source.connections_warn, plan.source.connections_give_way) == (0.5, 0.6)
    assert plan.source.patience == timedelta(seconds=5)
    assert plan.source.free_disk_give_way_bytes == 96 * 2**20 < plan.source.free_disk_warn_bytes
    assert plan.replication.warn_wal_bytes == 10**9


def test_how_long_a_way_back_may_be_dead_is_the_files_own_and_no_wait_that_is_shortened() -> None:
    file = sound(with_values(bake__max_way_back_lag="90s"))
    assert plan_for_rehearsal(file, "ledger-1", 2.0).max_way_back_lag == timedelta(seconds=90)


def test_the_transfers_that_the_router_counts_are_judged_when_the_file_names_them() -> None:
    queries = {"good": "Ledger Accepted{Arm={arm}}", "total": "Ledger Tried{Arm={arm}}"}
    transfers = {"name": "transfers", **queries, "margin_percent": 5, "tolerance": 1.5, "promotes": False}
    orders = {"name": "orders", **queries}
    file = sound(with_values(metrics__business=[orders, transfers]))
    assert plan_for_rehearsal(file, "ledger-1", 1.0).judge.counted == (
        CountedLimits(name="transfers", margin=0.05, tolerance=1.5, promotes=False),
    )
    assert plan_for_rehearsal(sound(with_values()), "ledger-1", 1.0).judge.counted == ()


def test_a_blue_green_move_is_previewed_watched_and_kept_warm_as_the_file_says() -> None:
    blue_green = {"preview": "6m", "watch": "12m", "check_every": "2m"}
    values = {"traffic": {"strategy": "blue-green", "blue_green": blue_green, "keep_warm": "20m"}}
    plan = plan_for_rehearsal(sound(with_values(**values, approvals=[])), "ledger-1", 1.0)
    assert [(step.percent, step.bake) for step in plan.ladder] == [
        (0.0, timedelta(seconds=6)),
        (100.0, timedelta(seconds=12)),
    ]
    assert (plan.preview, plan.check_every) == (timedelta(seconds=6), timedelta(seconds=2))
    assert (plan.keep_warm, plan.approvals) == (timedelta(seconds=20), ())


def test_a_promotion_that_is_not_automatic_asks_a_person_unless_the_file_says_whom() -> None:
    traffic = {"strategy": "blue-green", "blue_green": {"promote_automatically": False}}
    alone = plan_for_rehearsal(sound(with_values(traffic=traffic, approvals=[])), "ledger-1", 1.0)
    assert alone.approvals == (NeededApproval(phase=Phase.CANARY, share=100.0, stand_in="rehearsal"),)
    asked = [{"phase": "canary", "before_share": 100, "by": ["ann"], "valid_for": "1h"}]
    (named,) = plan_for_rehearsal(sound(with_values(traffic=traffic, approvals=asked)), "ledger-1", 1.0).approvals
    assert (named.share, named.by, named.valid_for) == (100.0, ("ann",), timedelta(minutes=1))
