"""`crossfade shadow compare`: pairs in, a verdict for each field out, and nothing personal anywhere."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli import shadow as command
from crossfade.cli.application import app
from crossfade.shadow import Comparer, Masker, ShadowSettings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "shadow"
KEYS = {"pairs", "matched", "repeated", "left_out", "fields", "threshold", "fields_merged"}


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["shadow", "compare", *map(str, arguments)], input=stdin)


def answer(body: Any, **changed: Any) -> dict[str, Any]:
    return {"status": 200, "headers": {"content-type": "application/json"}, "body": body, "ms": 5.0} | changed


def pair(control: Any, candidate: Any, again: Any = None) -> dict[str, Any]:
    told = {"id": "r", "control": answer(control), "candidate": answer(candidate)}
    return told if again is None else told | {"control_again": answer(again)}


def written(folder: Path, *lines: object) -> Path:
    path = folder / "pairs.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_the_worked_example_ends_as_its_document_says() -> None:
    result = run("--config", EXAMPLE / "compare.yaml", EXAMPLE / "pairs.jsonl")
    assert result.exit_code == 10
    told = last(result)
    assert {"latency_ratio", "latency_ratio_interval", *KEYS} == told.keys()
    assert (told["pairs"], told["matched"], told["repeated"]) == (60, 15, 40)
    assert [(field["path"], field["differ"], field["noise"], field["verdict"]) for field in told["fields"]] == [
        ("body.balance", 14, 0, "regression"),
        ("body.served_by", 44, 33, "noise"),
    ]
    document = (ROOT / "docs" / "shadow.md").read_text(encoding="utf-8")
    for line in result.stderr.splitlines():
        if "masked:" not in line:  # masks have a new key in each run
            assert line.rstrip() in document


def test_every_setting_stands_in_the_document_as_the_code_describes_it() -> None:
    document = (ROOT / "docs" / "shadow.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in document.splitlines() if line.startswith("| `")]
    told = {name.strip("`"): meaning for name, _, meaning in (row for row in rows if len(row) == 3)}
    assert told == {name: field.description for name, field in ShadowSettings.model_fields.items()}


@pytest.mark.parametrize(
    ("pairs", "code", "verdicts"),
    [
        ([pair({"a": 1}, {"a": 1}, {"a": 1})], 0, []),
        ([pair({"a": 1}, {"a": 2}, {"a": 1})] * 12, 10, ["regression"]),
        ([pair({"a": 1}, {"a": 2}, {"a": 3})] * 12, 0, ["noise"]),
        ([pair({"a": 1}, {"a": 2}, {"a": 1})], 10, ["unclear"]),
        ([pair({"a": 1}, {"a": 2})] * 100, 10, ["unclear"]),
        ([], 10, []),
    ],
)
def test_the_exit_code_tells_whether_the_candidate_answers_as_the_control(
    tmp_path: Path, pairs: list[Any], code: int, verdicts: list[str]
) -> None:
    result = run("--json", written(tmp_path, *pairs))
    assert result.exit_code == code, result.stderr
    assert [field["verdict"] for field in last(result)["fields"]] == verdicts


def test_a_remedy_is_told_when_the_control_was_never_asked_twice(tmp_path: Path) -> None:
    assert "control_again" in run(written(tmp_path, pair(1, 2))).stderr


def test_standard_input_is_read() -> None:
    assert last(run("-", stdin=json.dumps(pair(1, 1)).encode()))["matched"] == 1


def test_every_bad_line_is_told_and_there_is_no_result(tmp_path: Path) -> None:
    lines: list[object] = [pair(1, 1)] * 300
    lines[2], lines[4], lines[5], lines[299] = "{nonsense", "", {"id": "x", "control": answer(1)}, "[1]"
    lines[7] = pair(1, 1) | {"candidate": answer(1, status="200", ms=None)}
    path = written(tmp_path, *lines)
    result = run(path)
    assert (result.exit_code, result.stdout) == (2, "")
    said = result.stderr.splitlines()
    for line, place in (
        (3, "is no JSON"),
        (6, "candidate"),
        (8, "candidate.status"),
        (8, "candidate.ms"),
        (300, "is no object"),
    ):
        assert any(text.startswith(f"{path}:{line}  ") and place in text and " — " in text for text in said), line
    assert len([text for text in said if text.startswith(str(path))]) == 5
    assert "4 lines" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_line_that_is_too_long_is_told_and_the_next_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MAX_LINE_BYTES", 400)
    text = b"\n".join((b"x" * 1000, json.dumps(pair(1, 1)).encode(), b"x" * 400, b"{", b""))
    result = run("-", stdin=text)
    assert result.exit_code == 2
    assert [line.split("  ")[0] for line in result.stderr.splitlines()[:3]] == ["-:1", "-:3", "-:4"]
    assert "longer than" in result.stderr.splitlines()[0]


@pytest.mark.parametrize("what", ["absent", ""])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, what: str) -> None:
    result = run(tmp_path / what)
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ignore_feilds: [a]\nalpha: 2", (":1:1  ignore_feilds  is not known — did you mean `ignore_fields`?", ":2:1")),
        ("timestamps: [{path: a, tolerance: 5}]", ("timestamps[0].tolerance", "has no unit")),
        ("tolerances: [{relative: 2}]", ("tolerances[0].path  is missing", "tolerances[0].relative")),
        ("mask_key: hunter2", ("mask_key", "never write the secret itself")),
        ("mask_key: env:CROSSFADE_TEST_ABSENT", ("holds fewer than 16 bytes",)),
        ("mask_key: ssm:/a", ("is not read here",)),
        ("mask_key: file:/absent/key", ("cannot be read",)),
        ("- 1", ("must be a section",)),
        ("a: [", ("compare.yaml:1",)),
        ("x" * 1_000_001, ("larger than 1 MB",)),
        (b"\xff", ("is not UTF-8",)),
    ],
)
def test_every_fault_of_the_settings_is_told(tmp_path: Path, content: str | bytes, said: tuple[str, ...]) -> None:
    config = tmp_path / "compare.yaml"
    config.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run("--config", config, written(tmp_path, pair(1, 1)))
    assert (result.exit_code, result.stdout) == (2, "")
    for text in said:
        assert text in result.stderr
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "---\n"])
def test_settings_that_say_nothing_are_the_defaults(tmp_path: Path, content: str) -> None:
    config = tmp_path / "compare.yaml"
    config.write_text(content)
    assert run("--config", config, written(tmp_path, pair(1, 1))).exit_code == 0


def test_masks_are_the_same_in_two_runs_when_they_have_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSFADE_TEST_KEY", "0123456789abcdef0123")
    config = tmp_path / "compare.yaml"
    config.write_text("mask_key: env:CROSSFADE_TEST_KEY\n")
    path = written(tmp_path, pair("x", "y"))
    assert run("--config", config, path).stdout == run("--config", config, path).stdout
    assert run(path).stdout != run(path).stdout


def marks() -> Iterator[str]:
    for number in range(1, 40):
        yield f"MARK{number:02}"


def planted(line: int) -> dict[str, Any]:
    """A pair whose every value is marked, in bodies, headers, addresses and error texts."""
    mark = iter(f"{each}x{line}" for each in marks())
    sides = {}
    for side in ("control", "candidate", "control_again"):
        body = {
            "email": f"{next(mark)}@example.org",
            "plain": next(mark),
            "nested": [{"card": {"number": next(mark)}}, next(mark)],
            "error": f"duplicate key (phone)=({next(mark)}) at https://u:{next(mark)}@h/{next(mark)}?t={next(mark)}",
            f"{next(mark)}@example.org": 1,
            "token": next(mark),
        }
        headers = {"Set-Cookie": f"s={next(mark)}", "Location": f"https://h/a?q={next(mark)}", "X-Any": next(mark)}
        sides[side] = answer(body, headers=headers)
    return {"id": "r"} | sides


def test_nothing_marked_is_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Output, errors, and whatever lies in the folders for temporary files and of the user afterwards."""
    places = {name: tmp_path / name.lower() for name in ("TMPDIR", "HOME", "CROSSFADE_HOME", "XDG_CACHE_HOME")}
    for name, place in places.items():
        place.mkdir()
        monkeypatch.setenv(name, str(place))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    config = tmp_path / "compare.yaml"
    config.write_text("show_fields: [email, nested, error, token]\nmask_fields: ['nested.*']\n")
    text = tmp_path / "text.jsonl"
    lines = [planted(line) for line in range(30)]
    for number, each in enumerate(lines):
        if number % 2:
            each["candidate"]["body"] = f"Internal error of MARK99x{number}"
            each["control"]["body"] = json.dumps(each["control"]["body"])
    text.write_text("".join(json.dumps(line) + "\n" for line in lines))
    broken = tmp_path / "broken.jsonl"
    broken.write_text(
        "".join(f"{bad}\n" for bad in (json.dumps(lines[0])[:-30], '{"MARK97@x y": 1}', '{"id": ["MARK98"]}'))
    )
    said = [run(text), run("--config", config, text), run("--json", broken)]
    assert [result.exit_code for result in said] == [10, 10, 2]
    for result in said:
        everything = result.stdout + result.stderr
        assert "MARK" not in everything, everything[everything.index("MARK") - 200 :][:300]
    left = [
        Path(folder) / name
        for place in (*places.values(), work)
        for folder, _, names in os.walk(place)
        for name in names
    ]
    assert left == []


class Endless(io.RawIOBase):
    """The same pair again and again, as a file would bring it."""

    def __init__(self, times: int) -> None:
        self._line, self._left = (json.dumps(pair({"a": 1}, {"a": 2}, {"a": 1})) + "\n").encode(), times

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            return 0
        self._left -= 1
        buffer[: len(self._line)] = self._line
        return len(self._line)


def test_pairs_are_read_one_by_one_and_none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Watched(Comparer):
        def add(self, pair: Any, line: int, *, settled: Any = None) -> None:
            seen.append(line)
            super().add(pair, line, settled=settled)

    comparer = Watched(ShadowSettings(), Masker(key=b"k" * 32))
    source = io.BufferedReader(Endless(2000), buffer_size=512)
    assert command._compared(source, comparer, Path("-")) == 0
    assert seen == list(range(1, 2001))
    (field,) = comparer.result().fields
    assert (field.counts.differ, len(field.examples)) == (2000, 3)
