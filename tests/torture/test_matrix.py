"""What is foretold, how cells come together, and that a verdict sees what is wrong; no part is started."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from crossfade.model.file import MigrationFile, load
from crossfade.model.terms import Outcome
from tests.rehearsal.run import Home, Ran
from tests.torture.cells import FAULTS, LADDER, PLACES, Cell, every_cell, kinds_left_out, shares_of
from tests.torture.foretold import changes_nothing, foretold, table
from tests.torture.judged import as_promised, file_of, one_writer, too_long
from tests.torture.matrix import Matrix
from tests.torture.trials import Trial, alone, together, trial_of
from tests.torture.witness import Witness
from tests.waiting import wait_for

CELLS = every_cell()
GOOD: dict[str, Any] = {
    "outcome": "completed",
    "final_primary": "target",
    "reason": "finalized",
    "acknowledged_writes": 9,
    "lost_writes": 0,
    "duplicate_writes": 0,
    "violations": [],
}
COMPLETED = Trial(cells=(Cell("app-kill", "bake"),), besides=None, ends=frozenset({Outcome.COMPLETED}))


def test_every_kind_of_fault_strikes_at_each_of_its_places() -> None:
    assert kinds_left_out() == set()
    assert {cell.place for cell in CELLS} == set(PLACES)
    assert len(CELLS) > 700


def described(trial: Trial, folder: Path) -> MigrationFile:
    file = file_of(trial, Home(folder / "home", folder / "reports"))
    found = load(file.read_text(encoding="utf-8"), str(file))
    assert isinstance(found, MigrationFile), found
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_answers_are_compared_where_the_fault_can_only_be_seen_so_on_one_ladder_for_all(
    tmp_path: Path, fault: str
) -> None:
    file = described(alone(Cell(fault, "shadow")), tmp_path)
    assert shares_of(file) == LADDER
    assert file.shadow.enabled is fault.startswith(("wrong-answers", "shadow-hang"))


def test_wrong_answers_share_no_rehearsal_with_an_override_which_would_let_them_pass() -> None:
    wrong, deaf = Cell("wrong-answers=20%", "shadow"), Cell("operator-pulls=override", "validate")
    assert foretold(wrong) == {Outcome.ROLLED_BACK}
    assert [trial.cells for trial in together([wrong, Cell("app-kill", "validate")], 1)] == [
        (wrong, Cell("app-kill", "validate"))
    ]
    assert len(together([wrong, deaf], 1)) == 2


def test_what_is_foretold_stands_in_the_documents() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
    assert table() in page.read_text(encoding="utf-8"), "python -m tests.torture --table"


def test_what_is_killed_changes_no_end_once_preflight_has_passed() -> None:
    kills = [cell for cell in CELLS if cell.fault.endswith("-kill")]
    assert {cell.place for cell in kills if not changes_nothing(cell)} == {"prepare"}
    assert foretold(Cell("controller-kill", "cutover:fenced")) == {Outcome.COMPLETED}
    assert foretold(Cell("controller-kill", "fail_back:fenced")) == {Outcome.FAILED_BACK}


@pytest.mark.parametrize("seed", range(5))
def test_each_cell_is_in_one_rehearsal_and_strikes_alone_at_its_place(seed: int) -> None:
    trials = together(CELLS, seed)
    assert sorted(cell for trial in trials for cell in trial.cells) == sorted(CELLS)
    for trial in trials:
        places = [cell.place for cell in trial.cells]
        assert len(places) == len(set(places))
        assert all(changes_nothing(rider) for rider in trial.cells[1:])
        assert trial == trial_of(list(map(str, trial.cells)))
    assert len(trials) < len(CELLS) / 3


def test_a_migration_is_turned_when_a_cell_lies_on_the_way_back() -> None:
    assert alone(Cell("app-kill", "fail_back:fenced")).faults[1:] == ("operator-pulls=rollback@bake",)
    assert alone(Cell("app-kill", "bake")).faults[1:] == ()


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        ({}, 0, None),
        ({"outcome": "halted"}, 10, "halted instead of completed"),
        ({"lost_writes": 1}, 0, "1 lost, 0 twice"),
        ({"duplicate_writes": 2}, 0, "0 lost, 2 twice"),
        ({"acknowledged_writes": 0}, 0, "no write"),
        ({"violations": ["one writer: both"]}, 0, "rule broken: one writer"),
        ({}, 1, "exit code 1"),
    ],
)
def test_a_verdict_names_it_when_something_is_not_as_promised(
    wrong: dict[str, object], code: int, says: str | None
) -> None:
    problems = list(as_promised(COMPLETED, Ran(code, "", GOOD | wrong)))
    assert (problems == []) if says is None else says in problems[0]


def test_a_verdict_names_it_when_there_is_no_result() -> None:
    assert "boom" in next(iter(as_promised(COMPLETED, Ran(1, "boom", {}))))


@pytest.mark.parametrize(
    ("last", "both", "right"),
    [
        (("target",), 0, True),
        (("source",), 0, False),
        ((), 0, False),
        (("source", "target"), 0, False),
        (None, 0, False),
        (("target",), 1, False),
    ],
)
def test_a_verdict_believes_the_databases_about_who_takes_writes(
    tmp_path: Path, last: tuple[str, ...] | None, both: int, right: bool
) -> None:
    witness = Witness(tmp_path)
    witness.last, witness.both = last, both
    assert (list(one_writer(witness, GOOD)) == []) is right


def test_a_window_may_grow_by_the_time_to_resume_and_no_more() -> None:
    killed = trial_of(["controller-kill@cutover:fenced"])
    assert list(too_long(killed, (4600.0,), (4500.0,))) == []
    assert list(too_long(killed, (4600.0,), (1000.0,))) != []
    assert list(too_long(trial_of(["wan-cut=25s@cutover:fenced"]), (9600.0,), (0.0,))) == []


def test_what_has_passed_is_not_tried_again_until_anew(tmp_path: Path) -> None:
    cells = [Cell("app-kill", "bake"), Cell("app-kill", "canary"), Cell("app-kill", "cutover")]
    lines: list[dict[str, Any]] = [
        {"cells": [str(cells[0])], "missed": [], "problems": []},
        {"cells": [str(cells[1])], "missed": [], "problems": ["it was not"]},
        {"cells": [str(cells[2])], "missed": [f"{cells[2]}: its place was not reached"], "problems": []},
    ]
    kept = tmp_path / "torture.jsonl"
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"cells": ["cut sho')
    matrix = Matrix(kept, speed=10.0, seed=1, at_once=1)
    assert {cell for trial in matrix.trials(cells, anew=False) for cell in trial.cells} == set(cells[1:])
    assert {cell for trial in matrix.trials(cells, anew=True) for cell in trial.cells} == set(cells)


PRETENDED = """
import json, sys, time
cells = sys.argv[sys.argv.index("--trial") + 1 :]
if "app-kill@bake" in cells:
    time.sleep(60)
missed = [f"{cell}: away" for cell in cells if cell.startswith("router") and len(cells) > 1]
problems = ["it was not"] if any(cell.startswith("wan") for cell in cells) else []
print(json.dumps({"cells": cells, "missed": missed, "problems": problems}))
"""


def pretending(folder: Path) -> Matrix:
    program = (sys.executable, "-c", PRETENDED)
    return Matrix(folder / "torture.jsonl", speed=10.0, seed=1, at_once=2, program=program)


def tried(folder: Path) -> list[list[str]]:
    lines = (folder / "torture.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted(json.loads(line)["cells"] for line in lines)


def interrupt_when_one_is_done(folder: Path) -> None:
    wait_for((folder / "torture.jsonl").exists, seconds=30)
    os.kill(os.getpid(), signal.SIGINT)


def test_each_cell_is_tried_alone_when_they_failed_together(tmp_path: Path) -> None:
    failing = trial_of(["wan-cut=2s@canary", "app-kill@cutover"])
    assert pretending(tmp_path).carry_out([failing]) == 1
    assert tried(tmp_path) == [["app-kill@cutover"], ["wan-cut=2s@canary"], ["wan-cut=2s@canary", "app-kill@cutover"]]


def test_a_cell_is_tried_alone_when_it_did_not_strike(tmp_path: Path) -> None:
    assert pretending(tmp_path).carry_out([trial_of(["app-kill@cutover", "router-kill@canary"])]) == 0
    assert tried(tmp_path) == [["app-kill@cutover", "router-kill@canary"], ["router-kill@canary"]]


def test_all_that_was_started_has_ended_when_it_is_interrupted(tmp_path: Path) -> None:
    matrix = pretending(tmp_path)
    before = {asking: signal.getsignal(asking) for asking in (signal.SIGINT, signal.SIGTERM)}
    threading.Thread(target=interrupt_when_one_is_done, args=(tmp_path,)).start()
    try:
        assert matrix.carry_out([trial_of(["app-kill@bake"]), trial_of(["app-kill@cutover"])]) == 130
    finally:
        for asking, handler in before.items():
            signal.signal(asking, handler)
    assert [child for child in psutil.Process().children() if "--trial" in child.cmdline()] == []
    assert tried(tmp_path) == [["app-kill@cutover"]]


def test_what_was_to_decide_and_was_not_brought_about_decides_nothing() -> None:
    trial = trial_of(["slot-dropped@canary", "app-kill@bake"])
    ran = Ran(code=0, said="", result=GOOD)
    assert list(as_promised(trial, ran)) == ["completed instead of rolled_back: finalized"]
    assert list(as_promised(trial, ran, ["app-kill@bake: it does not run"])) != []
    assert list(as_promised(trial, ran, ["slot-dropped@canary: no connection"])) == []
