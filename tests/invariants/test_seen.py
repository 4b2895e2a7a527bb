"""What is not in the journal: rules about what is seen from outside, at each moment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crossfade.invariants import Rule, Rules, broken_rules
from crossfade.model.entry import Entry
from crossfade.model.events import EndReached, EndWanted, Event, GatePassed
from tests.engine.world import START
from tests.invariants.planting import (
    AWAKE,
    BAKED,
    ENDED,
    completed,
    place,
    rolled_back,
    share,
)


def heard(journal: tuple[Entry, ...], until: Event) -> Rules:
    rules = Rules()
    for entry in journal[: place(list(journal), until) + 1]:
        rules.hear(entry)
    return rules


def test_a_clock_that_was_set_back_makes_no_bake_too_short() -> None:
    entries = list(completed())
    at = place(entries, BAKED)
    while not isinstance(entries[at - 1].event, GatePassed | EndReached):
        at -= 1
    at -= 1
    back = [replace(entry, at=entry.at - timedelta(hours=1)) for entry in entries[at:]]
    assert "bake ends" not in " ".join(str(found) for found in broken_rules([*entries[:at], *back]))


def test_two_writers_at_one_instant_are_found() -> None:
    rules = Rules()
    assert not rules.saw_writers(START, source_open=True, target_open=False)
    assert not rules.saw_writers(START, source_open=False, target_open=False)
    assert [v.rule for v in rules.saw_writers(START, source_open=True, target_open=True)] == [Rule.ONE_WRITER]


def test_a_way_back_that_is_dead_is_found_from_its_proof_until_the_point_of_no_return() -> None:
    steps: list[tuple[Event, bool]] = [(EndWanted(end=AWAKE), False), (EndReached(end=AWAKE), True)]
    for until, wrong in [*steps, (EndWanted(end=ENDED), False)]:
        assert bool(heard(completed(), until).saw_way_back(START, alive=False)) is wrong


def test_a_fault_excuses_a_dead_way_back_but_not_that_the_migration_goes_on_over_it() -> None:
    rules = heard(completed(), EndReached(end=AWAKE))
    journal = completed()
    rest = journal[place(list(journal), EndReached(end=AWAKE)) + 1 :]
    assert not rules.saw_way_back(rest[0].at, alive=False, fault="slot-dropped")
    for entry in rest:
        rules.hear(entry)
    assert {violation.rule for violation in rules.violations} == {Rule.WAY_BACK}


def test_nothing_is_found_when_the_way_back_lives_again_in_time() -> None:
    rules = heard(completed(), EndReached(end=AWAKE))
    journal = completed()
    rules.saw_way_back(START, alive=False, fault="slot-dropped")
    rules.saw_way_back(START, alive=True)
    for entry in journal[place(list(journal), EndReached(end=AWAKE)) + 1 :]:
        rules.hear(entry)
    assert not rules.violations


def test_a_share_is_found_that_the_journal_does_not_want() -> None:
    rules = heard(completed(), EndWanted(end=share(10.0)))
    assert not rules.saw_share(START, 10.0)
    assert rules.saw_share(START, 50.0)
    assert rules.saw_share(START, 5.0)


def test_a_share_that_rises_twice_is_found_unless_somebody_else_had_turned_it() -> None:
    rules = heard(completed(), EndWanted(end=share(10.0)))
    assert not rules.saw_share(START, 10.0)
    rules.saw_share(START, 0.0, by_hand=True)
    assert not rules.saw_share(START, 10.0)
    rules.saw_share(START, 0.0)
    assert [v.rule for v in rules.saw_share(START, 10.0)] == [Rule.SHARES]


def test_a_late_rise_is_found_after_the_share_fell() -> None:
    rules = heard(rolled_back(), EndReached(end=share(0.0)))
    assert rules.saw_share(START, 10.0)


@pytest.mark.parametrize(("lost", "doubled"), [(1, 0), (0, 1)])
def test_a_lost_or_doubled_write_is_found(lost: int, doubled: int) -> None:
    assert not Rules().saw_users(START, lost=0, doubled=0)
    assert [v.rule for v in Rules().saw_users(START, lost=lost, doubled=doubled)] == [Rule.PROMISE]
