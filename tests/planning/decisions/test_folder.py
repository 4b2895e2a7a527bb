"""A folder of records: every fault of it at once, and superseding kept both ways."""

from datetime import date
from pathlib import Path

import pytest

from crossfade import durable
from crossfade.planning.decisions.folder import read_records, records_of
from crossfade.planning.decisions.keeping import RecordNotWritten, RecordsWouldBeFaulty, RecordUnknown, keep, supersede
from crossfade.planning.decisions.record import Record, Status, written


def text(number: int, *fields: str, status: str = "proposed", day: str = "2027-01-11") -> str:
    lines = [f"# {number}. Title {number}", "", f"- Status: {status}", f"- Date: {day}", *fields, "", "## Context", ""]
    return "\n".join(lines)


def faults(**texts: str) -> list[tuple[str, int, str]]:
    """By names such as r0001, which stand for 0001-x.md."""
    found = records_of({f"{name[1:]}-x.md": text for name, text in texts.items()})
    assert all(fault.remedy for fault in found.faults)
    return [(fault.file[:4], fault.line, fault.problem) for fault in found.faults]


def test_nothing_is_found_when_all_is_well() -> None:
    assert (
        faults(
            r0001=text(1, "- Superseded by: [2](0002-x.md)", status="superseded"),
            r0002=text(2, "- Supersedes: [1](0001-x.md)"),
        )
        == []
    )


def test_every_fault_of_a_folder_is_told_at_once() -> None:
    assert faults(
        r0001=text(1, "- Superseded by: 2"),
        r0002=text(2, "- Supersedes: 9"),
        r0003=text(1),
        r0004=text(4, status="done", day="yesterday"),
        r0005="People forgot everything.\n",
        r0006=text(6, "- Review by: 2020-01-01", status="accepted"),
        r0007=text(7, status="superseded"),
        r0008=text(8, "- Date: 2027-01-12", "- Supersedes: the other one"),
    ) == [
        ("0001", 3, "is proposed although another record supersedes it"),
        ("0001", 5, "is superseded by 2, which does not say so"),
        ("0002", 5, "Supersedes names 9, which is no record here"),
        ("0003", 1, "has the number 1 in its title and 3 in its name"),
        ("0003", 1, "has the number 1, as 0001-x.md has"),
        ("0004", 3, "has a status that is not known"),
        ("0004", 4, "Date is no date"),
        ("0005", 1, "does not begin with a numbered title"),
        ("0005", 1, "has no date"),
        ("0005", 1, "has no status"),
        (
            "0006",
            3,
            "is accepted without section Options, section Decision, section Trade-offs, section Success criteria",
        ),
        ("0006", 5, "is to be looked at again on 2020-01-01, before its date 2027-01-11"),
        ("0007", 3, "is superseded and does not say by which record"),
        ("0008", 5, "gives Date twice, first in line 4"),
        ("0008", 6, "Supersedes names no record"),
    ]


def test_links_are_held_against_what_they_lead_to() -> None:
    assert faults(
        r0001=text(1, "- Supersedes: [1](0001-x.md), [2](0003-x.md)"),
        r0002=text(2, "- Superseded by: [1](./0001-x.md#context)", status="superseded", day="2027-02-01"),
    ) == [
        ("0001", 4, "supersedes 2, which is of a later date, 2027-02-01"),
        ("0001", 5, "Supersedes names the record itself"),
        ("0001", 5, "supersedes 1, which does not say so"),
        ("0001", 5, "the link of 2 leads to another file"),
    ]


@pytest.mark.parametrize("length", [2, 3, 40])
def test_a_circle_is_told_once_when_records_supersede_each_other(length: int) -> None:
    texts = {
        f"r{i + 1:04}": text(
            i + 1,
            f"- Supersedes: {i + 2 if i + 1 < length else 1}",
            f"- Superseded by: {i or length}",
            status="superseded",
        )
        for i in range(length)
    }
    found = faults(**texts)
    assert len(found) == 1
    assert found[0][0] == "0001"
    assert found[0][2].endswith("which supersedes 1: a circle")


def test_many_ways_through_the_records_take_no_longer_than_few() -> None:
    """Each record supersedes both of the two after it: 2 to the 40th ways, and no circle."""
    texts = {}
    for number in range(1, 81):
        layer = (number - 1) // 2
        after = [n for n in (2 * layer + 3, 2 * layer + 4) if n <= 80]
        before = [n for n in (2 * layer - 1, 2 * layer) if n > 0]
        fields = [f"- Supersedes: {', '.join(map(str, after))}"] if after else []
        fields += [f"- Superseded by: {', '.join(map(str, before))}"] if before else []
        texts[f"r{number:04}"] = text(number, *fields, status="superseded" if before else "proposed")
    assert faults(**texts) == []


def test_files_are_faults_when_they_are_no_text_and_passed_over_when_they_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "0001-x.md").write_bytes(b"\xff\xfe")
    (tmp_path / "2-short.md").write_text(text(2), encoding="utf-8")
    (tmp_path / "README.md").write_text("hello", encoding="utf-8")
    found = read_records(tmp_path)
    assert [(fault.file, fault.problem) for fault in found.faults] == [
        ("0001-x.md", "is not UTF-8 text"),
        ("2-short.md", "is not named as records are"),
    ]
    assert found.passed_over == ("README.md",)
    assert found.next_number == 3


def record(number: int, *supersedes: int, on: date = date(2027, 1, 11)) -> Record:
    return Record(
        number=number,
        title=f"Title {number}",
        status=Status.PROPOSED,
        decided=on,
        supersedes=supersedes,
        opening="\n",
    )


def test_both_links_are_kept_and_no_other_line_changes_when_a_record_supersedes_another(tmp_path: Path) -> None:
    first = keep(tmp_path, read_records(tmp_path), record(1))
    first.write_bytes(first.read_bytes() + b"\r\n## Ours\n\n  kept\t\n")
    before = first.read_bytes()
    second = keep(tmp_path, read_records(tmp_path), record(2, 1))
    found = read_records(tmp_path)
    assert found.faults == ()
    assert second.read_text(encoding="utf-8") == written(found.records[second.name], found.names)
    assert "- Supersedes: [1](0001-title-1.md)\n" in second.read_text(encoding="utf-8")
    expected = before.replace(b"proposed", b"superseded").replace(
        b"2027-01-11\n", b"2027-01-11\n- Superseded by: [2](0002-title-2.md)\n"
    )
    assert first.read_bytes() == expected
    supersede(tmp_path, found, 1, 2)
    assert first.read_bytes() == expected


def test_nothing_is_written_when_records_would_contradict_each_other(tmp_path: Path) -> None:
    keep(tmp_path, read_records(tmp_path), record(1))
    keep(tmp_path, read_records(tmp_path), record(2, 1))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    found = read_records(tmp_path)
    with pytest.raises(RecordsWouldBeFaulty, match="a circle"):
        supersede(tmp_path, found, 2, 1)
    with pytest.raises(RecordsWouldBeFaulty, match="later date"):
        keep(tmp_path, found, record(3, 2, on=date(2026, 1, 1)))
    with pytest.raises(RecordsWouldBeFaulty, match="itself"):
        supersede(tmp_path, found, 2, 2)
    for old, new in ((9, 1), (1, 9)):
        with pytest.raises(RecordUnknown):
            supersede(tmp_path, found, old, new)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_link_that_a_crash_left_one_way_is_told_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, read_records(tmp_path), record(1))
    write = durable.replace
    done: list[Path] = []

    def once(path: Path, content: bytes) -> None:
        if done:
            raise OSError(28, "No space left on device")
        done.append(path)
        write(path, content)

    monkeypatch.setattr(durable, "replace", once)
    with pytest.raises(RecordNotWritten, match="No space left"):
        keep(tmp_path, read_records(tmp_path), record(2, 1))
    monkeypatch.setattr(durable, "replace", write)
    found = read_records(tmp_path)
    assert [fault.problem for fault in found.faults] == ["supersedes 1, which does not say so"]
    supersede(tmp_path, found, 1, 2)
    assert read_records(tmp_path).faults == ()
