"""Schedules: ranges, windows, the order of copies, and what does not fit."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.model.terms import Phase
from crossfade.planning.schedule.amounts import Amounts, Load, terms_of
from crossfade.planning.schedule.assumed import assumptions, draws
from crossfade.planning.schedule.durations import _GATES, Trials, estimate
from crossfade.planning.schedule.layout import leads, schedule_of
from crossfade.planning.schedule.openings import Openings, TimeZoneUnknown
from crossfade.planning.schedule.records import Concern, Schedule
from crossfade.runbook.phases import Gate
from tests.model.file.files import sound, with_values

GB, START = 10**9, date(2027, 1, 11)
SATURDAYS = [{"days": ["saturday"], "start": "01:00", "duration": "6h"}]
HOUR = timedelta(hours=1)


def amounts(gigabytes: int = 500, **told: Any) -> Amounts:
    whole = gigabytes * GB
    return Amounts(**({"used_bytes": whole, "unmeasured_bytes": whole, "servers": 4} | told))


def load(day: date, wave: int = 1, of: Amounts | None = None) -> Load:
    return Load(wave=wave, day=day, applications=(f"application {wave}",), amounts=of or amounts())


def laid_out(*loads: Load, start: date = START, **changes: Any) -> Schedule:
    return schedule_of(loads, sound(with_values(**changes)), start)


def concerns(schedule: Schedule) -> set[Concern]:
    return {remark.concern for remark in schedule.remarks}


sizes = st.builds(
    Amounts,
    database_bytes=st.integers(0, 2_000).map(lambda n: n * GB),
    files_bytes=st.integers(0, 5_000).map(lambda n: n * GB),
    used_bytes=st.integers(0, 5_000).map(lambda n: n * GB),
    capacity_bytes=st.integers(0, 1_000).map(lambda n: n * GB),
    servers=st.integers(1, 40),
    unsized_servers=st.integers(0, 3),
    changes_bytes_s=st.floats(0, 10**7),
    unmeasured_bytes=st.integers(0, 5_000).map(lambda n: n * GB),
)


@settings(max_examples=20, deadline=None)
@given(of=st.lists(sizes, min_size=1, max_size=4), mbps=st.integers(50, 5_000), hours=st.integers(1, 12))
def test_no_cutover_ends_outside_of_its_window_unless_that_is_said(of: list[Amounts], mbps: int, hours: int) -> None:
    windows = [{"days": ["saturday"], "start": "01:00", "duration": f"{hours}h"}]
    days = [date(2027, 2, 6) + timedelta(weeks=n) for n in range(len(of))]
    loads = [load(day, n + 1, each) for n, (day, each) in enumerate(zip(days, of, strict=True))]
    schedule = laid_out(*loads, planning__windows=windows, connectivity__vpn={"bandwidth": f"{mbps}Mbps"})
    told = {remark.wave for remark in schedule.remarks if remark.concern is Concern.LONGER_THAN_WINDOW}
    for wave in schedule.waves:
        cutover, window = wave.stage(Phase.CUTOVER), wave.window
        assert cutover is not None
        assert window is not None
        assert (cutover.ends <= window.closes) is (wave.wave not in told)
        assert [stage.begins for stage in wave.stages] == sorted(stage.begins for stage in wave.stages)
        for took in (wave.copying, wave.in_window, *(stage.estimate for stage in wave.stages)):
            assert took.p90 is None or (took.p50 is not None and took.p50 <= took.p90)
    copied = [wave for wave in schedule.waves if wave.copying.ends]
    for earlier, later in pairwise(copied):  # the link carries one full load after the other
        first, second = earlier.stage(Phase.REPLICATE), later.stage(Phase.REPLICATE)
        assert first is not None
        assert second is not None
        assert earlier.copying.p90 is not None
        assert first.begins + earlier.copying.p90 <= min(first.ends, second.begins)


@settings(max_examples=20, deadline=None)
@given(of=sizes, mbps=st.integers(10, 5_000), more=st.integers(1, 5_000))
def test_more_bandwidth_is_never_slower(of: Amounts, mbps: int, more: int) -> None:
    found = []
    for rate in (mbps, mbps + more):
        terms = terms_of(sound(with_values(connectivity__vpn={"bandwidth": f"{rate}Mbps"})))
        found.append(estimate(Trials(terms, draws(assumptions(terms))).copying(of)))
    slow, fast = found
    for before, after in ((slow.p50, fast.p50), (slow.p90, fast.p90)):
        assert before is None or (after is not None and after <= before)


def test_copying_takes_what_the_link_needs_for_it() -> None:
    terms = terms_of(sound(with_values(connectivity__vpn={"bandwidth": "1Gbps"})))
    one = Trials(terms, {name: values[:1] * 0 + 1 for name, values in draws(assumptions(terms)).items()})
    without_changes = Amounts(used_bytes=450 * GB, servers=1)  # all of 125 MB a second
    assert estimate(one.copying(without_changes)).p50 == HOUR
    changing = Amounts(used_bytes=450 * GB, servers=1, changes_bytes_s=62.5e6)  # half of the link is taken
    assert estimate(one.copying(changing)).p50 == 2 * HOUR
    assert estimate(one.copying(without_changes, one.changes(changing))).p50 == 2 * HOUR
    assert estimate(one.copying(Amounts(used_bytes=1, servers=1, changes_bytes_s=126e6))).p50 is None


def test_a_copy_that_changes_outrun_is_said_never_to_end() -> None:
    schedule = laid_out(load(date(2027, 2, 6), of=amounts(10, changes_bytes_s=10.0**9)))
    remark = next(remark for remark in schedule.remarks if remark.concern is Concern.NEVER_COPIED)
    assert remark.wave == 1
    assert "never ends" in remark.says
    assert schedule.waves[0].copying.p50 is None
    assert leads({"it": amounts(10, changes_bytes_s=10.0**9)}, terms_of(sound(with_values()))) == {}


def test_waves_before_it_leave_less_of_the_link_to_a_copy() -> None:
    changing = amounts(100, changes_bytes_s=20e6)
    first, second = date(2027, 2, 6), date(2027, 2, 7)
    large = amounts(4_000)  # copied while the first wave has not cut over yet
    alone = laid_out(load(second, of=large)).waves[0].copying
    beside = laid_out(load(first, 1, changing), load(second, 2, large)).waves[1].copying
    assert alone.p50 is not None
    assert beside.p50 is not None
    assert beside.p50 > alone.p50


def test_phases_last_as_long_as_the_runbook_waits() -> None:
    def bake(**changes: Any) -> timedelta:
        stage = laid_out(load(date(2027, 2, 6), of=Amounts(servers=1)), **changes).waves[0].stage(Phase.BAKE)
        assert stage is not None
        assert stage.estimate.p50 is not None
        return stage.estimate.p50

    assert 24 * HOUR < bake(bake__duration="24h") < 25 * HOUR
    assert 48 * HOUR < bake(bake__duration="48h") < 49 * HOUR
    assert 70 * HOUR < bake(bake__duration="1h", traffic__keep_warm="72h") < 73 * HOUR

    def canary(**ladder: Any) -> timedelta:
        stage = laid_out(load(date(2027, 2, 6)), traffic__ladder=ladder).waves[0].stage(Phase.CANARY)
        assert stage is not None
        assert stage.estimate.p50 is not None
        return stage.estimate.p50

    assert canary(bake="1h", long_bake="1h") - canary(bake="10m", long_bake="10m") > 11 * timedelta(minutes=50)
    assert set(_GATES) == set(Gate)


def test_shadow_is_planned_when_the_file_asks_for_it() -> None:
    asked = laid_out(load(date(2027, 2, 6)), shadow__enabled=True, shadow__duration="2h").waves[0].stage(Phase.SHADOW)
    assert asked is not None
    assert asked.estimate.p50 is not None
    assert asked.estimate.p50 >= 2 * HOUR
    assert laid_out(load(date(2027, 2, 6))).waves[0].stage(Phase.SHADOW) is None


@pytest.mark.parametrize(
    ("day", "changes", "concern"),
    [
        (date(2027, 1, 12), {}, Concern.BEGINS_BEFORE_START),
        (date(2027, 2, 6), {"planning__deadline": "2027-02-06"}, Concern.AFTER_DEADLINE),
        (
            date(2027, 2, 6),
            {"planning__windows": [{"days": ["saturday"], "start": "01:00", "duration": "30m"}]},
            Concern.LONGER_THAN_WINDOW,
        ),
        (
            date(2027, 2, 6),
            {
                "planning__windows": [{"days": ["saturday"], "start": "23:00", "duration": "6h"}],
                "planning__blackouts": [{"first": "2027-02-07", "last": "2027-02-09", "reason": "month end"}],
            },
            Concern.IN_BLACKOUT,
        ),
    ],
    ids=["before the start", "after the deadline", "longer than the window", "into a blackout"],
)
def test_what_does_not_fit_is_told_and_nothing_else(day: date, changes: dict[str, Any], concern: Concern) -> None:
    assert concerns(laid_out(load(day), **changes)) == {concern}
    assert concerns(laid_out(load(date(2027, 2, 6)), planning__windows=SATURDAYS)) == set()


def test_an_unknown_size_is_reckoned_with_and_said() -> None:
    unsized = Amounts(servers=3, unsized_servers=3)
    schedule = laid_out(load(date(2027, 2, 6), of=unsized))
    assert concerns(schedule) == {Concern.SIZE_UNKNOWN}
    assert schedule.waves[0].size_bytes > 100 * GB


def test_windows_open_at_the_hour_of_their_zone_whatever_the_season() -> None:
    planning = sound(with_values(planning__windows=SATURDAYS, planning__time_zone="America/New_York")).planning
    openings = Openings.of(planning)
    winter, summer = openings.on(date(2027, 1, 16)), openings.on(date(2027, 7, 17))
    assert winter is not None
    assert summer is not None
    assert (winter.opens, summer.opens) == (datetime(2027, 1, 16, 6, tzinfo=UTC), datetime(2027, 7, 17, 5, tzinfo=UTC))
    assert winter.closes - winter.opens == 6 * HOUR
    assert openings.on(date(2027, 1, 17)) is None
    assert openings.next_from(winter.opens + HOUR) == winter.opens + HOUR
    assert openings.next_from(winter.closes) == winter.opens + timedelta(weeks=1)


def test_finalize_waits_for_a_window_outside_of_blackouts() -> None:
    blackout = [{"first": "2027-02-13", "last": "2027-02-14", "reason": "close"}]
    schedule = laid_out(load(date(2027, 2, 6)), planning__windows=SATURDAYS, planning__blackouts=blackout)
    final = schedule.waves[0].stage(Phase.FINALIZE)
    assert final is not None
    assert final.begins.date() == date(2027, 2, 20)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "America"])
def test_a_time_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(TimeZoneUnknown, match="no time zone"):
        Openings.of(sound(with_values()).planning.model_copy(update={"time_zone": name}))


def test_the_same_input_gives_the_same_schedule() -> None:
    assert laid_out(load(date(2027, 2, 6))) == laid_out(load(date(2027, 2, 6)))
