from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.model.file import LadderStep, MigrationFile, load
from crossfade.model.file.ladder import rises, rising_shares
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.runbook.phases import rungs
from tests.model.file.files import said, sound, with_values

BAKE, LONG = timedelta(minutes=10), timedelta(minutes=30)


def shares(text: str) -> list[float]:
    return [step.percent for step in sound(text).traffic.steps()]


def test_ladder_stops_at_90_when_default() -> None:
    steps = sound(with_values()).traffic.steps()
    expected = [5, 15, 25, 35, 45, 55, 65, 75, 85, 90, 100]
    assert steps == tuple(LadderStep(percent, LONG if percent == 90 else BAKE) for percent in expected)


def test_ladder_stops_at_90_when_increment_passes_over_it() -> None:
    assert shares(with_values(traffic__ladder__start=20, traffic__ladder__step=20)) == [20, 40, 60, 80, 90, 100]


def test_ladder_adds_90_and_100_when_stops_are_listed() -> None:
    assert shares(with_values(traffic__ladder__stops=[10, 30, "50%", 70, 85])) == [10, 30, 50, 70, 85, 90, 100]


def test_blue_green_has_two_steps_when_chosen() -> None:
    steps = sound(with_values(traffic__strategy="blue-green")).traffic.steps()
    assert [step.percent for step in steps] == [0, 100]


def test_step_is_refused_when_over_max_step() -> None:
    told = said(with_values(traffic__ladder__step=30))
    assert told == {"traffic.ladder.step": "30 passes max_step 20 — set step to 20 or less"}


def test_first_share_is_refused_when_over_max_step() -> None:
    assert said(with_values(traffic__ladder__start=10, traffic__ladder__max_step=8, traffic__ladder__step=5)) == {
        "traffic.ladder.start": "10 passes max_step 8 — set start to 8 or less"
    }


@pytest.mark.parametrize("step", [0, -5, "0%"])
def test_step_is_refused_when_it_never_ends(step: Any) -> None:
    assert list(said(with_values(traffic__ladder__step=step))) == ["traffic.ladder.step"]


def test_max_step_is_refused_when_above_20() -> None:
    assert list(said(with_values(traffic__ladder__max_step=25))) == ["traffic.ladder.max_step"]


@pytest.mark.parametrize(
    ("stops", "word"), [([5, 40], "from 40 to 90"), ([20, 10], "rise"), ([10, 10], "rise"), ([30, 50], "from 0 to 30")]
)
def test_stops_are_refused_when_not_a_ladder(stops: list[Any], word: str) -> None:
    assert word in said(with_values(traffic__ladder__stops=stops))["traffic.ladder.stops"]


def test_step_is_refused_when_stops_are_listed_too() -> None:
    told = said(with_values(traffic__ladder__stops=[10, 20, 30, 40, 50, 60, 70, 80], traffic__ladder__step=5))
    assert list(told) == ["traffic.ladder.step"]


def test_shares_are_refused_when_step_vanishes() -> None:
    with pytest.raises(ValueError, match="too small"):
        rising_shares(start=50, step=1e-9)


percents = st.one_of(st.integers(-5, 120), st.floats(-5, 120).map(lambda value: round(value, 3)))


@settings(deadline=None)
@given(
    start=percents,
    step=percents,
    max_step=percents,
    stops=st.one_of(st.just([]), st.lists(percents, max_size=15), st.lists(percents, max_size=15).map(sorted)),
)
def test_every_accepted_ladder_keeps_the_rules(start: Any, step: Any, max_step: Any, stops: list[Any]) -> None:
    ladder = {"max_step": max_step} | ({"stops": stops} if stops else {"start": start, "step": step})
    file = load(with_values(traffic__ladder=ladder), "migration.yaml")
    if isinstance(file, MigrationFile):
        found = [share.percent for share in file.traffic.steps()]
        assert found == sorted(set(found))
        assert found[-1] == 100
        assert 90 in found
        assert len(found) <= 202
        assert found[0] > 0
        assert max_step <= 20
        assert all(round(after - before, 6) <= max_step for before, after in rises(found))
        assert all(share.bake == (LONG if share.percent == 90 else BAKE) for share in file.traffic.steps())


@pytest.mark.parametrize("step", [0.001, 0.01, 0.49])
def test_a_step_is_refused_with_what_to_set_when_it_would_hardly_ever_end(step: Any) -> None:
    told = said(with_values(traffic__ladder={"start": 0.01, "step": step}))
    assert told["traffic.ladder.step"].endswith("makes more than 200 stops — set step to 0.5 or more")


def test_a_step_is_refused_with_what_to_set_when_max_step_allows_none_that_ends() -> None:
    told = said(with_values(traffic__ladder={"start": 0.3, "step": 0.3, "max_step": 0.3}))
    assert told["traffic.ladder.step"].endswith("set step and max_step to 0.5 or more")


@settings(deadline=None, max_examples=60)
@given(
    strategy=st.sampled_from(["canary", "blue-green"]),
    start=percents,
    step=percents,
    before_share=st.sampled_from([None, 5, 25, 90, 100, 33.3]),
    bakes=st.tuples(st.sampled_from(["5m", "10m", "2h"]), st.sampled_from(["10m", "3h"])),
)
def test_the_plan_of_every_accepted_file_visits_the_ladder_of_the_file(
    strategy: str, start: Any, step: Any, before_share: float | None, bakes: tuple[str, str]
) -> None:
    ladder = {"start": start, "step": step, "bake": bakes[0], "long_bake": bakes[1]}
    asked = [{"phase": "canary", "before_share": before_share}] if before_share else []
    text = with_values(traffic__ladder=ladder, traffic__strategy=strategy, approvals=asked)
    file = load(text, "migration.yaml")
    if not isinstance(file, MigrationFile):
        return
    planned = plan_for_rehearsal(file, "ledger-1", 1.0)
    found = [rung.percent for rung in rungs(planned)]
    assert found == sorted(set(found))
    assert all(needed.share in found for needed in planned.approvals)
    if strategy == "blue-green":
        assert (found, planned.preview) == ([100], timedelta(seconds=10))
        return
    assert (found[-1], planned.preview) == (100, None)
    assert 90 in found
    assert all(after - before <= 20 + 1e-9 for before, after in rises(found))
    longest = next(rung.bake for rung in planned.ladder if rung.percent == 90)
    assert all(rung.bake <= longest for rung in planned.ladder)


@settings(deadline=None)
@given(start=st.integers(1, 20), step=st.integers(1, 20))
def test_every_modest_ladder_is_accepted(start: Any, step: Any) -> None:
    assert shares(with_values(traffic__ladder__start=start, traffic__ladder__step=step))[0] == start
