"""Readings of counters, and what lies between two of them."""

from dataclasses import replace

from crossfade.model.counts import CONVERSION, ArmCounts, Counted

EARLIER = ArmCounts(requests=100, errors=1, conversions=10, counted=(Counted(name="orders", good=5, total=6),))
LATER = ArmCounts(
    requests=150,
    errors=4,
    conversions=17,
    counted=(Counted(name="searches", good=9, total=9), Counted(name="orders", good=8, total=11)),
)


def test_what_was_counted_between_two_readings_is_their_difference_metric_by_metric() -> None:
    between = LATER - EARLIER
    assert (between.requests, between.errors, between.conversions) == (50, 3, 7)
    assert between.counted == (Counted(name="orders", good=3, total=5),)  # searches began somewhere in between
    assert between.counted[0].bad == 2


def test_users_with_errors_are_no_more_than_errors_when_they_are_counted_late() -> None:
    before, after = replace(EARLIER, users_with_errors=1), replace(LATER, users_with_errors=3)
    assert (after - before).users_with_errors == 2
    assert (replace(after, users_with_errors=90) - before).users_with_errors == (LATER - EARLIER).errors
    assert (after - EARLIER).users_with_errors is None


def test_conversions_are_unknown_and_not_zero_when_one_reading_lacks_them() -> None:
    without = ArmCounts(requests=90, errors=0)
    assert (LATER - without).conversions is None
    assert (without - without).conversions is None
    assert (LATER - without).counted == ()


def test_a_metric_is_found_by_its_name_and_missing_is_none() -> None:
    assert LATER.metric("orders") == Counted(name="orders", good=8, total=11)
    assert LATER.metric(CONVERSION) == Counted(name=CONVERSION, good=17, total=150)
    assert LATER.metric("payments") is None
    assert ArmCounts(requests=9, errors=0).metric(CONVERSION) is None
