"""What does not fit in a schedule is a risk of the register, with the waves and with a limit of the file."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crossfade.model.file.tree import read_tree
from crossfade.planning.inventory.records import Database, Inventory, Place
from crossfade.planning.risks.assembly import assemble
from crossfade.planning.risks.knowledge import Seen
from crossfade.planning.risks.rating import Probability
from crossfade.planning.risks.register import Origin, Register
from crossfade.planning.risks.rules import schedule as rules
from crossfade.planning.risks.told import Closed, RegisterFile
from crossfade.planning.schedule.records import Concern, Estimate, Opening, Remark, Schedule, WaveSchedule
from tests.model.file.files import sound, with_values
from tests.planning.plan.plans import data_center, planned, planned_without_file
from tests.planning.risks.seeing import ON, risks

OPENS = datetime(2027, 1, 9, 1, tzinfo=UTC)
BY_CONCERN = {
    Concern.NEVER_COPIED: "never-caught-up",
    Concern.LONGER_THAN_WINDOW: "window-missed",
    Concern.BEGINS_BEFORE_START: "copy-begins-before-start",
    Concern.AFTER_DEADLINE: "deadline-missed",
    Concern.IN_BLACKOUT: "change-in-blackout",
    Concern.SIZE_UNKNOWN: "sizes-guessed",
}


def laid_out(remarks: Iterable[tuple[Concern, int]], in_window: timedelta = timedelta(hours=5)) -> Schedule:
    """One wave whose window is four hours long, and remarks by their waves."""
    wave = WaveSchedule(
        wave=1,
        day=date(2027, 1, 9),
        applications=("a",),
        servers=1,
        size_bytes=1,
        changes_bytes_s=0.0,
        window=Opening(opens=OPENS, closes=OPENS + timedelta(hours=4)),
        copying=Estimate(p50=timedelta(hours=1), p90=timedelta(hours=2)),
        in_window=Estimate(p50=in_window, p90=in_window + timedelta(hours=1)),
        stages=(),
    )
    return Schedule(
        waves=(wave,),
        remarks=tuple(Remark(concern=one, wave=n, says=f"{one} of {n}", remedy="do") for one, n in remarks),
        assumed=(),
        time_zone="UTC",
        link_name="VPN",
        link_bits_s=1,
        seed=1,
        trials=1,
    )


def register_of(schedule: Schedule | None, said: RegisterFile | None = None) -> Register:
    text = with_values()
    seen = Seen(file=sound(text), inventory=None, on=ON, schedule=schedule)
    return assemble(seen, read_tree(text, "m.yaml"), "m.yaml", said or RegisterFile(version=1))


def test_each_concern_of_a_schedule_is_a_risk_and_nothing_else_is() -> None:
    assert set(BY_CONCERN) == set(Concern)
    assert {one.id for one in rules.RISKS} == set(BY_CONCERN.values())
    for concern, own in BY_CONCERN.items():
        found = {one.id: one for one in register_of(laid_out([(concern, 1)])).risks}
        assert found.keys() & set(BY_CONCERN.values()) == {own}
        assert found[own].origin is Origin.FOUND
        assert [(one.says, one.place) for one in found[own].evidence] == [(f"{concern} of 1", "the schedule, wave 1")]
        assert all(trigger.path and trigger.value for trigger in found[own].triggers)


def test_many_waves_are_counted_and_the_first_named() -> None:
    schedule = laid_out((Concern.SIZE_UNKNOWN, n) for n in range(1, 10))
    found = next(one for one in register_of(schedule).risks if one.id == "sizes-guessed")
    assert [one.place for one in found.evidence[:2]] == ["the schedule, wave 1", "the schedule, wave 2"]
    assert found.evidence[-1].says == "and the same of 4 more waves"


@pytest.mark.parametrize(
    ("in_window", "probability"), [(5, Probability.EXPECTED), (3.5, Probability.POSSIBLE)], ids=["most", "some"]
)
def test_a_window_that_most_trials_miss_is_likelier_missed_than_one_that_some_do(
    in_window: float, probability: Probability
) -> None:
    schedule = laid_out([(Concern.LONGER_THAN_WINDOW, 1)], timedelta(hours=in_window))
    found = next(one for one in register_of(schedule).risks if one.id == "window-missed")
    assert found.rating.probability is probability


def test_without_a_schedule_that_is_said_and_a_closed_risk_of_one_is_not_taken_for_gone() -> None:
    word: dict[str, Any] = {"id": "window-missed", "by": "Ann", "on": ON, "because": "agreed"}
    said = RegisterFile(version=1, close=(Closed(**word),))
    without, with_one = register_of(None, said), register_of(laid_out([]), said)
    assert without.no_longer_found == ()
    assert any("No schedule was made" in note for note in without.notes)
    assert [one.id for one in with_one.no_longer_found] == ["window-missed"]
    assert not any("No schedule was made" in note for note in with_one.notes)


def test_a_plan_whose_window_is_too_short_has_the_risk_with_wave_and_limit() -> None:
    window = {"days": ["saturday"], "start": "01:00", "duration": "1h"}
    plan = planned(data_center(), planning__windows=[window])
    found = next(one for one in plan.risks.risks if one.id == "window-missed")
    remarks = [one for one in plan.schedule.remarks if one.concern is Concern.LONGER_THAN_WINDOW]
    assert [one.says for one in found.evidence] == [one.says for one in remarks[:5]]
    assert "planning.windows" in {trigger.path for trigger in found.triggers}


def test_a_plan_without_a_migration_file_has_them_too() -> None:
    (found,) = (one for one in planned_without_file(data_center()).risks.risks if one.id == "sizes-guessed")
    assert found.evidence[0].place.startswith("the schedule, wave ")


def test_a_database_of_the_inventory_that_does_not_fit_a_window_is_told_with_its_row() -> None:
    row = Place(source="list.csv", sheet="", row=7)
    inventory = Inventory(databases=(Database(name="archive", engine="Oracle", size_mib=3 * 2**20, places=(row,)),))
    narrow: dict[str, Any] = {"planning__windows": [{"days": ["sunday"], "start": "01:00", "duration": "6h"}]}
    assert "full-load-too-long" not in risks(Inventory(), **narrow)
    found = risks(inventory, **narrow)["full-load-too-long"]
    assert (found.evidence[0].place, found.evidence[0].says.split(":")[0]) == ("list.csv:7", "archive")
