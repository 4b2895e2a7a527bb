import ast
import re
from pathlib import Path

import pytest

from tests.docs.documents import ROOT, Document

TABLE = Document(ROOT / "docs" / "requirements.md")
NUMBERS = [f"A{n}" for n in range(1, 18)] + [f"B{n}" for n in range(1, 14)] + [f"C{n}" for n in range(1, 9)]
NOT_YET = "not yet"
ROWS = {
    cells[0]: cells[1:]
    for line in TABLE.text.splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")]) and re.fullmatch(r"[ABC]\d+", cells[0])
}


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}


def exists(test: str) -> bool:
    place, _, name = test.partition("::")
    path = ROOT / place
    if not name:
        return path.exists()
    return path.is_file() and name in names_of_tests(path)


def test_each_requirement_stands_once_and_in_order() -> None:
    listed = re.findall(r"^\| ([ABC]\d+) \|", TABLE.text, re.MULTILINE)
    assert listed == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_what_a_requirement_names_exists(number: str) -> None:
    what, built, shown = ROWS[number]
    assert what
    assert built == NOT_YET or named(built)
    assert [path for path in named(built) if not (ROOT / path).exists()] == []
    assert [test for test in named(shown) if not exists(test)] == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_requirement_is_shown_when_it_says_that_it_is_built(number: str) -> None:
    _, built, shown = ROWS[number]
    assert (built == NOT_YET) == (shown == NOT_YET)
    assert built == NOT_YET or [test for test in named(shown) if test.startswith("tests/")]


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("tests/docs/test_requirements.py", True),
        ("tests/docs/test_requirements.py::test_each_requirement_stands_once_and_in_order", True),
        ("tests/docs/test_requirements.py::test_that_was_never_written", False),
        ("tests/docs/test_gone.py", False),
    ],
)
def test_a_test_is_missed_when_it_is_not_there(test: str, found: bool) -> None:
    assert exists(test) is found
