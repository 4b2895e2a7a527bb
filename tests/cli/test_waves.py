"""`crossfade waves`: as people call it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from tests.docs.documents import ROOT

EXAMPLE = ROOT / "examples" / "waves" / "waves.yaml"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["waves", *map(str, arguments)])


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_the_example_is_planned_to_the_optimum_and_a_plan_made_again_moves_nothing(tmp_path: Path) -> None:
    first = run(EXAMPLE, "--json")
    told = last(first)
    assert first.exit_code == 0
    assert (told["cut"], told["least_cut"], told["gap_percent"]) == (105, 105, 0.0)
    assert [wave["wave"] for wave in told["waves"]] == [1, 2, 3, 6]
    assert "no plan cuts less than 105" in " ".join(first.stderr.split())
    (tmp_path / "plan.json").write_text(first.stdout, encoding="utf-8")
    again = last(run(EXAMPLE, "--previous", tmp_path / "plan.json", "--json"))
    assert again["moved"] == []
    assert again["waves"] == told["waves"]


def test_wishes_that_contradict_are_named_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "waves.yaml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8") + "  - [shop-database, directory]\n", encoding="utf-8")
    result = run(path, "--json")
    assert result.exit_code == 10
    assert last(result) == {
        "contradiction": [
            {
                "wish": "shop and shop-database must not talk over the link between two waves",
                "place": "waves.yaml:38:5",
            },
            {"wish": "directory moves before shop", "place": "waves.yaml:42:5"},
            {"wish": "shop-database moves before directory", "place": "waves.yaml:44:5"},
        ],
        "minimal": True,
    }
    assert "waves.yaml:44:5  shop-database moves before directory" in result.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"#" * 1_000_001, "is larger than 1 MB"),
        (b"start: 2027-01-09\n", "items"),
    ],
)
def test_a_faulty_file_ends_with_2_and_says_why(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "waves.yaml"
    if content is not None:
        path.write_bytes(content)
    result = run(path)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("content", ["", "[]", '{"placements": [{"item": "a"}]}', '{"placements": 1}', "[" * 9_999])
def test_what_is_no_plan_is_refused_as_the_former_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content, encoding="utf-8")
    result = run(EXAMPLE, "--previous", tmp_path / "plan.json")
    assert result.exit_code == 2
    assert "is no plan" in result.stderr
