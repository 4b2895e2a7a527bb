"""Real exports, changed as time, tools and people change them: never a crash, never a row without account."""

import csv
import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.planning.inventory.plain_csv import write_plain
from tests.planning.inventory.exports import SAMPLES, SMALL, is_accounted_for, read, rows_of_workbook
from tests.planning.inventory.test_plain_csv import could_run

TEXTS = sorted(SAMPLES.rglob("*.csv"))
PARTS = (
    "xl/worksheets/sheet1.xml",
    "xl/worksheets/sheet2.xml",
    "xl/workbook.xml",
    "xl/styles.xml",
    "[Content_Types].xml",
)
HOSTILE = (
    *(
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "+49 30 1234",
        "-1",
        "\t=1",
        '"',
        '""',
        "'",
        "''x",
        "\x00",
        "\x1b[2J",
        "\u202egnp",
    ),
    *(
        "1.234,5",
        "1,234.5",
        "12'288",
        "4 096",
        "31.12.2026",
        "2026-12-31T00:00:00Z",
        "45000.5",
        "1e309",
        "NaN",
        "-inf",
        "9" * 400,
    ),
    *("#REF!", "#N/A", "TRUE", "x" * 40_000, "a;b;c", "a\nb", "::1", "10.0.0.0/8", "00:00:00:00:00:00", "ﬀ", "𝔸", "👾"),
)
Mutate = Callable[[list[list[str]], random.Random], None]


def _cell(rows: list[list[str]], rng: random.Random) -> None:
    row = rng.choice(rows)
    if row:
        row[rng.randrange(len(row))] = rng.choice(HOSTILE)


def _blank(rows: list[list[str]], rng: random.Random) -> None:
    rows.insert(rng.randrange(len(rows) + 1), [""] * len(rows[0]))


def _repeat(rows: list[list[str]], rng: random.Random) -> None:
    rows.insert(rng.randrange(len(rows) + 1), list(rng.choice(rows)))


def _title(rows: list[list[str]], rng: random.Random) -> None:
    rows.insert(0, ["Export of our data center", *[""] * rng.randrange(5)])


def _swap_columns(rows: list[list[str]], rng: random.Random) -> None:
    one, other = (rng.randrange(len(rows[-1]) or 1) for _ in range(2))
    for row in rows:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]


def _drop_cell(rows: list[list[str]], rng: random.Random) -> None:
    row = rng.choice(rows)
    if row:
        row.pop(rng.randrange(len(row)))


def _more_cells(rows: list[list[str]], rng: random.Random) -> None:
    rng.choice(rows).extend(["more", "cells"])


def _merge_heading(rows: list[list[str]], rng: random.Random) -> None:
    """A merged heading leaves its text in the first cell alone."""
    at = rng.randrange(len(rows[0]) or 1)
    rows[0][at + 1 : at + 2] = [""] if at + 1 < len(rows[0]) else []


def _spell_headings(rows: list[list[str]], rng: random.Random) -> None:
    rows[0] = [
        rng.choice((str.upper, str.lower, str.title))(f" {heading} ").replace(" ", rng.choice((" ", "_")))
        for heading in rows[0]
    ]


MUTATORS: tuple[Mutate, ...] = (
    *(_cell, _cell, _cell, _blank, _repeat, _title, _swap_columns, _drop_cell, _more_cells, _merge_heading),
    _spell_headings,
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32")


def mutated(path: Path, rng: random.Random) -> bytes:
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    for _ in range(rng.randrange(1, 6)):
        rng.choice(MUTATORS)(rows, rng)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=rng.choice(",;\t|"), lineterminator=rng.choice(("\n", "\r\n", "\r"))).writerows(rows)
    content = text.getvalue().encode(rng.choice(ENCODINGS), "replace")
    if rng.random() < 0.3:
        content = damaged(content, rng)
    return content


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Bytes lost, changed, doubled, or cut off."""
    at, until = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    until = min(until, at + 200)
    by = rng.choice((b"", b'"', bytes(rng.randrange(256) for _ in range(5)), content[at:until] * 2))
    return content[:at] if rng.random() < 0.2 else content[:at] + by + content[until:]


def holds(path: Path) -> None:
    """Read without an exception, every row accounted for, and nothing written that a spreadsheet would run."""
    found = read(path)
    assert is_accounted_for(found)
    assert all(problem.remedy for problem in found.problems)
    assert found.accounts or found.problems
    text = io.StringIO(newline="")
    write_plain(found, text)
    assert [
        cell for row in csv.reader(io.StringIO(text.getvalue(), newline="")) for cell in row if could_run(cell)
    ] == []


quickly = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@quickly
@given(seed=st.integers(0, 2**32))
def test_texts_are_accounted_for_whatever_became_of_them(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "mutated.csv"
    path.write_bytes(mutated(rng.choice(TEXTS), rng) or b"\n")
    holds(path)


@settings(quickly, max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_workbooks_are_accounted_for_whatever_became_of_their_parts(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "mutated.xlsx"
    spoilt = rng.choice(PARTS)
    with zipfile.ZipFile(SMALL) as archive, zipfile.ZipFile(path, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            copy.writestr(name, damaged(content, rng) if name == spoilt else content)
    if rng.random() < 0.2:
        path.write_bytes(damaged(path.read_bytes(), rng) or b"\n")
    holds(path)


VALUES = (
    *(datetime(2026, 12, 31, 23, 59, tzinfo=None), date(1900, 1, 1), time(1, 2), timedelta(days=400), True, False),  # noqa: DTZ001 - as cells are
    *(
        1e300,
        0.1,
        -7,
        2**60,
        4.096,
        "=1+1",
        "=cmd|' /C calc'!A0",
        "#REF!",
        "31.12.2026",
        "4.096",
        "x" * 5000,
        " ",
        "👾",
    ),
)


@settings(quickly, max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_cells_of_every_kind_are_accounted_for(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    book = openpyxl.Workbook()
    for name, rows in list(rows_of_workbook(SMALL).items())[:3]:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([rng.choice(VALUES) if rng.random() < 0.1 else cell for cell in row])
            if rng.random() < 0.1:
                sheet.append([])
        if rng.random() < 0.3:
            sheet.merge_cells("A1:C1")
    book.save(tmp_path / "cells.xlsx")
    holds(tmp_path / "cells.xlsx")


@settings(quickly, max_examples=100)
@given(content=st.binary(min_size=1, max_size=400))
def test_any_bytes_at_all_are_told_or_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(content)
    holds(path)


def test_mutations_reach_rows_that_are_refused_and_rows_that_are_read(tmp_path: Path) -> None:
    """Mutators that made everything unreadable, or nothing, would show nothing."""
    refused = accepted = 0
    for seed in range(60):
        rng = random.Random(seed)
        path = tmp_path / "mutated.csv"
        path.write_bytes(mutated(rng.choice(TEXTS), rng))
        found = read(path)
        refused += any(account.format and account.refused for account in found.accounts)
        accepted += any(account.accepted for account in found.accounts)
    assert refused >= 5
    assert accepted >= 20


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_mutates_the_same_way(seed: int) -> None:
    assert mutated(TEXTS[0], random.Random(seed)) == mutated(TEXTS[0], random.Random(seed))
