"""The file of a problem of waves, with all its faults at once."""

from datetime import date

from crossfade.planning.waves import Problem
from crossfade.planning.waves.reading import read_problem
from crossfade.planning.waves.wishes import Before, CalendarEnd, InWave, NotAfter, Together, WaveLimit

FILE = """\
start: 2027-01-09
deadline: 2027-02-06
servers_per_wave: 4
items:
  - {name: web, servers: 2, size: 1GB, wave: 2}
  - {name: db, not_after: 2027-01-30}
  - {name: batch}
talks:
  - {between: [web, db], weight: 7}
latency_critical:
  - [web, db]
order:
  - [batch, db]
"""


def test_every_wish_has_its_place() -> None:
    problem = read_problem(FILE, "waves.yaml")
    assert isinstance(problem, Problem)
    assert [edge.weight for edge in problem.edges] == [7]
    assert problem.windows == tuple(date(2027, 1, 9 + 7 * n) if n < 4 else date(2027, 2, 6) for n in range(5))
    assert set(problem.wishes) == {
        InWave(item="web", wave=2, place="waves.yaml:5:40"),
        NotAfter(item="db", day=date(2027, 1, 30), place="waves.yaml:6:16"),
        WaveLimit(servers=4, place="waves.yaml:3:1"),
        Together(items=("web", "db"), latency_critical=True, place="waves.yaml:11:5"),
        Before(first="batch", then="db", place="waves.yaml:13:5"),
        CalendarEnd(windows=5, place="waves.yaml:2:1"),
    }


def test_all_faults_of_the_schema_are_told_with_place_and_remedy() -> None:
    faulty = FILE.replace("servers: 2", "servers: -2").replace("[web, db], weight", "[web], weight") + "priority: 1\n"
    found = read_problem(faulty, "waves.yaml")
    assert not isinstance(found, Problem)
    assert [(fault.line, fault.path) for fault in found] == [
        (5, "items[0].servers"),
        (9, "talks[0].between"),
        (14, "priority"),
    ]
    assert all(fault.remedy for fault in found)


def test_all_faults_of_meaning_are_told_with_place_and_remedy() -> None:
    faulty = FILE.replace("batch, db", "batch, bd").replace("{name: batch}", "{name: batch}\n  - {name: web}")
    found = read_problem(faulty, "waves.yaml")
    assert not isinstance(found, Problem)
    assert [(fault.line, fault.path, fault.problem) for fault in found] == [
        (5, "items[0]", "web is there 2 times"),
        (8, "items[3]", "web is there 2 times"),
        (14, "order[0]", "names bd, which is no item"),
    ]


def test_a_deadline_before_the_start_is_a_fault() -> None:
    found = read_problem(FILE.replace("2027-02-06", "2026-02-06"), "waves.yaml")
    assert not isinstance(found, Problem)
    assert [fault.problem for fault in found] == ["has no change window"]


def test_without_a_deadline_there_are_windows_for_all_that_is_dated_and_ordered() -> None:
    text = FILE.replace("deadline: 2027-02-06\n", "").replace("not_after: 2027-01-30", "not_before: 2027-12-01")
    problem = read_problem(text, "waves.yaml")
    assert isinstance(problem, Problem)
    assert problem.windows[-1] > date(2027, 12, 1)
