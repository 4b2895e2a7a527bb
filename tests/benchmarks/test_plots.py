"""The page of measurements and its pictures are those of the stored results, and can be read."""

import itertools
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks.against_peers import OURS, RESULTS
from benchmarks.plots import reached, worked
from benchmarks.plots.page import DRAWN, filled, page, pictures, published
from benchmarks.plots.results import Results, ResultsIncomplete, stored
from benchmarks.plots.svg import WIDTH, spread, wide
from benchmarks.plots.tables import within_promise
from benchmarks.plots.worked import compared

REGENERATE = "run: python -m benchmarks.plots"
STORED = stored()
PICTURES = pictures(STORED)


def test_page_pictures_and_tables_are_those_of_the_stored_results_and_examples() -> None:
    for path, text in published(STORED).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: {REGENERATE}"


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_of_a_picture_meets_another_or_leaves_it(name: str) -> None:
    picture = PICTURES[name]
    for box in picture.boxes:
        assert box.left >= 0, box
        assert box.right <= WIDTH, box
        assert 0 <= box.top < box.bottom <= picture.height, box
    assert [(a.text, b.text) for a, b in itertools.combinations(picture.boxes, 2) if a.meets(b)] == []


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_says_in_words_what_it_shows(name: str) -> None:
    root = ET.fromstring(PICTURES[name].svg())
    told = {element.tag.rpartition("}")[2]: element.text or "" for element in root}
    assert len(told["title"]) > 20
    assert len(told["desc"]) > 40


def changed(case: str, rule: str, **values: object) -> Results:
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows = {row["case"]: row for row in told["cases"]}
    rows[case]["rules"][rule] |= values
    return Results(told, rows)


def test_the_page_says_so_when_the_judge_cries_wolf() -> None:
    wolf = changed("healthy", OURS, percent=31.0, wilson_95=[28.0, 34.0])
    assert within_promise(wolf).startswith("surely above 5 %")
    assert "surely above 5 %: *healthy*" in page(wolf)
    assert "31 %" in false_aborts_of(wolf)
    assert page(wolf) != page(STORED)


def false_aborts_of(results: Results) -> str:
    return pictures(results)["judge-false-aborts"].svg()


def test_the_page_says_so_when_a_regression_is_not_found() -> None:
    lost = changed("latency +20 %", OURS, median_requests=None, ninetieth_requests=None)
    assert "| latency +20 % | not in 119,520 | not in 119,520 |" in page(lost)
    assert "not by 119,520" in pictures(lost)["judge-detection"].svg()


def test_results_are_refused_when_a_case_is_missing(tmp_path: Path) -> None:
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    gone = told["cases"].pop(3)["case"]
    (tmp_path / "results.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ResultsIncomplete, match="not measured yet") as refused:
        stored(tmp_path / "results.json")
    assert gone in str(refused.value)


def test_a_table_is_put_between_its_marks_and_nowhere_else() -> None:
    text = "before\n<!-- measured: a -->\nold\n<!-- end -->\nafter\n<!-- measured: b -->\nkept\n<!-- end -->\n"
    told = filled(text, {"a": "new\n"})
    assert told == text.replace("old", "new")
    with pytest.raises(LookupError, match="just once"):
        filled(text, {"c": "new\n"})


def test_the_tables_of_guards_say_so_when_they_cry_wolf_or_find_nothing() -> None:
    wolf = {"world": "calm", "guards_percent": 31.25, "judge_percent": 0.0, "together_percent": 31.25}
    assert reached.wolves("world", [wolf]).splitlines()[-1] == "| calm | 31.2 % | 0 % | 31.2 % |"
    blind = {"damage": "all", "requests_a_look": 50_000, "median_looks": None, "median_looks_with_judge": 12.0}
    assert reached.damage([blind]).splitlines()[-1] == "| all | 50,000 | never (12) |"


def test_labels_move_as_little_as_needed_to_stand_apart() -> None:
    assert spread([10.0, 50.0], 5, 0, 100) == [10.0, 50.0]
    assert spread([10.0, 11.0, 12.0], 5, 0, 100) == [10.0, 15.0, 20.0]
    assert spread([99.0, 98.0], 5, 0, 100) == [100.0, 95.0]


def test_a_longer_text_is_wider_and_a_strong_one_too() -> None:
    assert wide("median") < wide("a median") < wide("a median", "ink strong")


def test_the_worked_examples_go_as_the_words_around_them_say() -> None:
    """docs/judge-limits.md speaks of these looks; whoever changes them changes the words, too."""
    rows = [line.strip("| ").split(" | ") for line in compared().splitlines()[2:]]
    assert rows == [
        ["healthy", "promotable at look 3", "promotable at look 6"],
        ["slower", "aborted at look 4", "holds through look 12"],
        ["errors", "promotable at look 9, then aborted at look 18", "aborted at look 18"],
        ["incident", "holds through look 12", "holds through look 12"],
        ["quiet", "holds through look 24", "holds through look 24"],
    ]


def test_examples_that_the_command_refuses_are_no_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "observations.jsonl"
    broken.write_text('{"rollout": "a"}\n{"step": 1}\n', encoding="utf-8")
    monkeypatch.setattr(worked, "OBSERVATIONS", broken)
    with pytest.raises(worked.ExampleFailed, match="share"):
        compared()
