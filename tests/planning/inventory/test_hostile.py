"""Files made to do harm, and files that time and people have done harm to."""

import os
import resource
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crossfade.planning.inventory import Inventory, reading, workbook_guard
from tests.planning.inventory.exports import SMALL, edited, is_accounted_for, read, written

SHEET = "xl/worksheets/sheet1.xml"
INFO = "VM,Powerstate,CPUs,Memory"


def problem_of(found: Inventory) -> str:
    (problem,) = found.problems
    assert problem.remedy
    return problem.problem


def cpu_seconds() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def test_a_sheet_that_declares_a_million_rows_costs_nothing_when_it_holds_three(tmp_path: Path) -> None:
    far = edited(SMALL, tmp_path / "far.xlsx", SHEET, r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"')
    began = cpu_seconds()
    assert [server.name for server in read(far).servers] == [server.name for server in read(SMALL).servers]
    assert cpu_seconds() - began < 2


def test_a_row_at_the_end_of_the_sheet_is_read_and_what_lies_between_costs_nothing(tmp_path: Path) -> None:
    last = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>last</t></is></c></row></sheetData>'
    far = edited(SMALL, tmp_path / "far.xlsx", SHEET, "</sheetData>", last)
    began = cpu_seconds()
    found = read(far)
    assert cpu_seconds() - began < 4
    assert found.servers[-1].name == "last"
    assert found.servers[-1].places[0].row == 1048576


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>', "out of order or beyond 1,048,576"),
        ('<row r="2"><c r="A2"><v>1</v></c></row>', "out of order"),
        ('<row r="9"><c r="ZZZZZZ9"><v>1</v></c></row>', "out of order or beyond its row"),
        ('<row r="9"><c r="B9"><v>1</v></c><c r="A9"><v>1</v></c></row>', "out of order"),
    ],
)
def test_cells_that_no_spreadsheet_has_are_refused(tmp_path: Path, cell: str, said: str) -> None:
    found = read(edited(SMALL, tmp_path / "x.xlsx", SHEET, "</sheetData>", f"{cell}</sheetData>"))
    assert said in problem_of(found)
    assert found.servers == ()


def test_entities_are_refused_before_anything_expands_them(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 9))
    doctype = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><worksheet'
    found = read(edited(SMALL, tmp_path / "x.xlsx", SHEET, "<worksheet", doctype))
    assert "declares entities" in problem_of(found)


def test_a_file_of_this_computer_is_not_read_into_a_cell(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    doctype = f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]><worksheet'
    assert "hunter2" not in repr(read(edited(SMALL, tmp_path / "x.xlsx", SHEET, "<worksheet", doctype)))


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(SMALL) as archive, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in archive.namelist():
            copy.writestr(name, archive.read(name))
        with copy.open("xl/media/image.xml", "w") as part:
            for _ in range(40):
                part.write(b"\0" * (1 << 20))
    began = cpu_seconds()
    assert "as bombs are" in problem_of(read(bomb))
    assert cpu_seconds() - began < 1


def test_endless_elements_that_are_no_cells_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "MOST_OTHER_ELEMENTS", 1000)
    junk = "</sheetData>" + "<a/>" * 2000
    assert "no sheet of a spreadsheet" in problem_of(
        read(edited(SMALL, tmp_path / "x.xlsx", SHEET, "</sheetData>", junk))
    )


@pytest.mark.parametrize("length", [30, 2000, 15000])
def test_a_workbook_that_was_cut_off_is_told(tmp_path: Path, length: int) -> None:
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(SMALL.read_bytes()[:length])
    assert "damaged" in problem_of(read(cut))


def test_the_rest_of_a_workbook_is_lost_with_a_problem_when_its_texts_are_missing(tmp_path: Path) -> None:
    found = read(edited(SMALL, tmp_path / "x.xlsx", SHEET, 't="inlineStr"><is><t>VM</t></is>', 't="s"><v>77</v>'))
    assert "damaged" in problem_of(found)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old XLS workbook"),
        ("empty.csv", b"", "is empty"),
        ("empty.zip", b"PK\x05\x06" + b"\0" * 18, "empty archive"),
        ("flows.log.gz", b"\x1f\x8b\x08\0" + b"x" * 40, "packed by gzip"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + b"\0\1\0\2" * 100, "no text"),
    ],
)
def test_what_cannot_be_read_is_told_for_what_it_is(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in problem_of(read(tmp_path / name))


def test_what_is_not_there_is_told_beside_what_is(tmp_path: Path) -> None:
    found = read(tmp_path / "gone.csv", SMALL, Path("a\0b"))
    assert [problem.problem for problem in found.problems] == ["does not exist", "cannot be read"]
    assert len(found.servers) == 3


def test_nothing_is_waited_for_when_a_folder_holds_a_pipe_and_broken_links(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", INFO, "app1,poweredOn,2,4096")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "folder").symlink_to(tmp_path)
    found = read(tmp_path)
    assert [server.name for server in found.servers] == ["app1"]
    assert {Path(p.source).name: p.problem for p in found.problems} == {
        "pipe": "is no regular file",
        "gone": "does not exist",
        "round": "cannot be read",
    }


def test_a_folder_that_may_not_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "a.csv", INFO, "app1,poweredOn,2,4096")
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refusing(place: str | Path) -> Any:
        if str(place).endswith("closed"):  # root may look everywhere, so a closed folder is played
            raise PermissionError(13, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", refusing)
    found = read(tmp_path)
    assert len(found.servers) == 1
    assert [(Path(p.source).name, p.problem) for p in found.problems] == [("closed", "may not be read by you")]


def test_an_archive_within_an_archive_is_told_and_a_workbook_in_it_read(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", INFO, "app1,poweredOn,2,4096")
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.write(tmp_path / "a.csv", "a.csv")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.write(tmp_path / "inner.zip", "inner.zip")
        outer.write(SMALL, "rvtools.xlsx")
        outer.write(tmp_path / "a.csv", "../../a.csv")
    found = read(tmp_path / "outer.zip")
    assert "archive within an archive" in problem_of(found)
    assert "app1" in {server.name for server in found.servers}
    assert len(found.servers) == 4


def test_a_formula_says_what_it_came_to_and_one_that_was_never_calculated_is_told(tmp_path: Path) -> None:
    calculated = edited(
        SMALL, tmp_path / "a.xlsx", SHEET, r'<c r="C2" t="n"><v>2</v>', '<c r="C2" t="n"><f>1+1</f><v>2</v>'
    )
    assert read(calculated).servers[0].cpus == 2
    waiting = edited(SMALL, tmp_path / "b.xlsx", SHEET, r'<c r="C2" t="n"><v>2</v>', '<c r="C2"><f>1+1</f>')
    found = read(waiting)
    assert found.servers[0].cpus is None
    assert [(p.sheet, p.row, p.column, p.problem) for p in found.problems] == [
        ("vInfo", 2, "CPUs", "holds a formula that was never calculated")
    ]


def test_errors_of_a_spreadsheet_are_no_values(tmp_path: Path) -> None:
    found = read(written(tmp_path / "a.csv", INFO, "app1,poweredOn,#N/A,4096", "#REF!,poweredOn,2,4096"))
    assert [(p.row, p.column, p.problem) for p in found.problems] == [
        (2, "CPUs", "holds the error #N/A"),
        (3, "VM", "holds the error #REF!"),
        (3, "VM", "names no VM"),
    ]
    assert is_accounted_for(found)


def test_titles_above_the_header_and_headers_within_are_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Our servers, 2026"])
    sheet.merge_cells("A1:D1")
    for row in ([], INFO.split(","), ["app1", "poweredOn", 2, 4096], INFO.split(","), ["app2", "poweredOff", 1, 512]):
        sheet.append(row)
    book.save(tmp_path / "x.xlsx")
    found = read(tmp_path / "x.xlsx")
    assert [(server.name, server.places[0].row) for server in found.servers] == [("app1", 4), ("app2", 6)]
    (account,) = found.accounts
    assert (account.rows, account.passed_over, account.blank) == (4, 2, 0)
    assert account.why_passed_over == ("before the header", "the header once more")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_known_by_content(tmp_path: Path, encoding: str) -> None:
    found = read(written(tmp_path / "a.csv", INFO, "bücher,poweredOn,2,4096", encoding=encoding))
    assert ([server.name for server in found.servers], found.problems) == (["bücher"], ())
    assert found.accounts[0].notes == ()


def test_a_text_that_is_not_unicode_is_read_as_windows_wrote_it_and_that_is_said(tmp_path: Path) -> None:
    found = read(written(tmp_path / "a.csv", INFO, "bücher,poweredOn,2,4096", encoding="cp1252"))
    assert [server.name for server in found.servers] == ["bücher"]
    assert "Windows-1252" in found.accounts[0].notes[0]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("said", [False, True])
def test_separators_are_known_by_the_headings_they_make(tmp_path: Path, separator: str, said: bool) -> None:
    lines = [line.replace(",", separator) for line in (INFO, "app1,poweredOn,2,4096")]
    found = read(written(tmp_path / "a.csv", *([f"sep={separator}"] if said else []), *lines))
    assert [(server.name, server.memory_mib) for server in found.servers] == [("app1", 4096)]
    assert found.servers[0].places[0].row == (3 if said else 2)


def test_a_quote_that_is_never_closed_costs_its_own_line_alone(tmp_path: Path) -> None:
    found = read(
        written(tmp_path / "a.csv", INFO, 'app1,"poweredOn,2,4096', *[f"app{i},poweredOn,2,4096" for i in range(2, 6)])
    )
    assert [(server.name, server.places[0].row) for server in found.servers] == [
        (f"app{i}", i + 1) for i in range(2, 6)
    ]
    assert [(p.row, "cannot be taken apart" in p.problem) for p in found.problems] == [(2, True)]
    assert is_accounted_for(found)


def test_a_row_with_more_cells_than_the_header_is_refused_rather_than_read_shifted(tmp_path: Path) -> None:
    found = read(written(tmp_path / "a.csv", INFO, "app1, old,poweredOn,2,4096", "app2,poweredOn,2,4096"))
    assert [server.name for server in found.servers] == ["app2"]
    assert [(p.row, p.problem) for p in found.problems] == [(2, "has 1 more cells than the header")]


def test_a_line_without_end_is_told_and_the_next_one_read(tmp_path: Path) -> None:
    found = read(written(tmp_path / "a.csv", INFO, "x" * 3_000_000, "app2,poweredOn,2,4096"))
    assert [(server.name, server.places[0].row) for server in found.servers] == [("app2", 3)]
    assert [p.row for p in found.problems] == [2]
    assert is_accounted_for(found)


def test_problems_beyond_what_can_be_listed_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_PROBLEMS_A_SHEET", 10)
    found = read(written(tmp_path / "a.csv", INFO, *[f"app{i},poweredOn,many,4096" for i in range(50)]))
    assert len(found.problems) == 11
    assert "40 more problems" in found.problems[-1].problem
    assert len(found.servers) == 50


def test_numbers_are_read_as_countries_write_them_and_unclear_ones_told(tmp_path: Path) -> None:
    lines = [
        "a;on;2;4.096",
        "b;on;2;1.048.576",
        "c;on;2;4 096",
        "d;on;2;4’096",
        "e;on;2;16 GB",
        "f;on;2;4096,0",
        "g;on;2;-1",
        "h;on;2;٤٠٩٦",
    ]
    found = read(written(tmp_path / "a.csv", INFO.replace(",", ";"), *lines))
    assert [server.memory_mib for server in found.servers] == [None, 1048576, 4096, 4096, 16384, 4096, None, None]
    assert [p.problem for p in found.problems] == [
        "'4.096' may be 4096 or 4.096",
        "'-1' is below 0",
        "'٤٠٩٦' is no number",
    ]
