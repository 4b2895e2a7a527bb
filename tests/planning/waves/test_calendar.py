"""Which days a cutover may be made on."""

from datetime import date, timedelta
from itertools import islice

from crossfade.planning.waves.calendar import Blackout, Calendar

SATURDAY = date(2027, 1, 9)


def test_windows_open_on_their_weekdays_until_the_deadline() -> None:
    calendar = Calendar(start=SATURDAY, deadline=SATURDAY + timedelta(11), weekdays=frozenset({2, 5}))
    assert [day.day for day in calendar.days()] == [9, 13, 16, 20]


def test_no_window_opens_in_a_blackout_both_ends_included() -> None:
    blackouts = (
        Blackout(first=SATURDAY + timedelta(6), last=SATURDAY + timedelta(7)),
        Blackout(first=SATURDAY + timedelta(14), last=SATURDAY + timedelta(20)),
    )
    calendar = Calendar(start=SATURDAY, deadline=SATURDAY + timedelta(28), weekdays=frozenset({5}), blackouts=blackouts)
    assert list(calendar.days()) == [SATURDAY, SATURDAY + timedelta(21), SATURDAY + timedelta(28)]


def test_a_calendar_without_a_deadline_goes_on_and_ends_with_the_years() -> None:
    endless = Calendar(start=SATURDAY, deadline=None, weekdays=frozenset({5}))
    assert list(islice(endless.days(), 3))[-1] == SATURDAY + timedelta(14)
    late = Calendar(start=date.max - timedelta(3), deadline=None, weekdays=frozenset(range(7)))
    assert len(list(late.days())) == 4
