import os
from pathlib import Path

import pytest

from crossfade.report.telemetry import (
    TelemetryDamaged,
    TelemetryNotWritten,
    TelemetryTail,
    append_progress,
    read_progress,
)
from tests.report import sample

SEEN = sample.progress(sample.completed())[180:190]


def recorded(path: Path) -> Path:
    for progress in SEEN:
        append_progress(path, progress)
    return path


def test_reads_what_was_appended_when_written_line_by_line(tmp_path: Path) -> None:
    assert read_progress(recorded(tmp_path / "telemetry.jsonl")) == SEEN


def test_is_empty_when_there_is_no_file(tmp_path: Path) -> None:
    assert read_progress(tmp_path / "telemetry.jsonl") == ()


@pytest.mark.parametrize("torn", [1, 40, 200])
def test_goes_on_after_the_last_whole_line_when_a_crash_tore_one(tmp_path: Path, torn: int) -> None:
    path = recorded(tmp_path / "telemetry.jsonl")
    os.truncate(path, path.stat().st_size - torn)
    assert read_progress(path) == SEEN[:-1]
    append_progress(path, SEEN[-1])
    assert read_progress(path) == SEEN


def test_starts_anew_when_only_a_torn_line_is_there(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    path.write_bytes(b'{"at":')
    append_progress(path, SEEN[0])
    assert read_progress(path) == SEEN[:1]


def test_names_the_line_when_it_is_not_a_progress_record(tmp_path: Path) -> None:
    path = recorded(tmp_path / "telemetry.jsonl")
    lines = path.read_bytes().split(b"\n")
    lines[3] = lines[3].replace(b'"held"', b'"holds"')
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(TelemetryDamaged, match="line 4") as failure:
        read_progress(path)
    assert failure.value.remedy


def test_says_why_when_the_disk_is_full() -> None:
    with pytest.raises(TelemetryNotWritten, match="No space left") as failure:
        append_progress(Path("/dev/full"), SEEN[0])
    assert failure.value.retryable


def test_only_what_is_new_and_whole_comes_when_a_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    tail = TelemetryTail(path)
    assert tail.read() == ()
    append_progress(path, SEEN[0])
    append_progress(path, SEEN[1])
    assert tail.read() == SEEN[:2]
    with path.open("ab") as file:
        file.write(b'{"at":"2031')
    assert tail.read() == ()
    append_progress(path, SEEN[2])
    assert tail.read() == SEEN[2:3]
