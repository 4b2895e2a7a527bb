"""The schedule as a chart and as a calendar: whole, safe, the same each time."""

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from crossfade.model.terms import Phase
from crossfade.planning.schedule.amounts import Load
from crossfade.planning.schedule.calendar_file import as_calendar
from crossfade.planning.schedule.gantt import as_svg
from crossfade.planning.schedule.layout import schedule_of
from crossfade.planning.schedule.records import Schedule
from tests.model.file.files import sound, with_values
from tests.planning.schedule.test_layout import SATURDAYS, START, amounts

HOSTILE = 'ünter;der, "Brücke" <script>\\n\x1b[31m' + "lang und länger " * 12
ON = date(2026, 11, 23)


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    days = [date(2027, 2, 6), date(2027, 2, 13), date(2027, 3, 6)]
    loads = [
        Load(wave=n + 1, day=day, applications=(HOSTILE if n == 0 else f"application-{n}", "other"), amounts=amounts())
        for n, day in enumerate(days)
    ]
    return schedule_of(loads, sound(with_values(planning__windows=SATURDAYS)), START)


def unfolded(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


def plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


def test_a_calendar_reads_back_what_was_written(schedule: Schedule) -> None:
    content = as_calendar(schedule, name=HOSTILE, on=ON)
    lines = unfolded(content)
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\x1b" not in content
    told = [dict(line.split(":", 1) for line in block.split("\n")) for block in events(lines)]
    assert len(told) == 4 * len(schedule.waves)
    assert len({event["UID"] for event in told}) == len(told)
    assert {event["DTSTAMP"] for event in told} == {"20261123T000000Z"}
    change = next(event for event in told if "wave 1: traffic shift" in plain(event["SUMMARY"]))
    window, cutover = schedule.waves[0].window, schedule.waves[0].stage(Phase.CUTOVER)
    assert window is not None
    assert cutover is not None
    assert moment(change["DTSTART"]) == window.opens
    assert moment(change["DTEND"]) == cutover.ends
    assert 'ünter;der, "Brücke"' in plain(change["DESCRIPTION"])


def events(lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    return re.findall(r"BEGIN:VEVENT\n(.*?)\nEND:VEVENT", text, re.DOTALL)


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def test_an_entry_keeps_its_identity_when_its_wave_moves(schedule: Schedule) -> None:
    later = [
        Load(wave=wave.wave, day=wave.day + timedelta(weeks=1), applications=("a",), amounts=amounts())
        for wave in schedule.waves
    ]
    moved = schedule_of(later, sound(with_values(planning__windows=SATURDAYS)), START)
    before, after = (unfolded(as_calendar(each, name="plan", on=ON)) for each in (schedule, moved))
    assert [line for line in before if line.startswith("UID")] == [line for line in after if line.startswith("UID")]
    assert before != after


def test_the_chart_has_each_phase_of_each_wave_and_runs_nothing(schedule: Schedule) -> None:
    svg = as_svg(schedule, title=HOSTILE, deadline=date(2027, 4, 1))
    root = ET.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "style", "rect", "text", "tspan", "path", "title", "g"}
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]
    for phase in Phase:
        drawn = [each for each in root.iter() if each.get("class") == phase and len(each)]
        expected = sum(wave.stage(phase) is not None for wave in schedule.waves)
        assert len(drawn) == expected, phase
    left = {float(each.get("x", "0")) for each in root.iter() if each.get("class") == "cutover" and len(each)}
    assert len(left) == 3
    assert svg == as_svg(schedule, title=HOSTILE, deadline=date(2027, 4, 1))
    assert "prefers-color-scheme: dark" in svg
    assert "<style" not in as_svg(schedule, title="t", styled=False)


def test_an_empty_schedule_is_drawn_and_listed() -> None:
    nothing = schedule_of([], sound(with_values()), START)
    assert ET.fromstring(as_svg(nothing, title="nothing")) is not None
    assert events(unfolded(as_calendar(nothing, name="nothing", on=ON))) == []
