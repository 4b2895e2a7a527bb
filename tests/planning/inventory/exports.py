"""Sources for tests: real samples, and small exports written as they are needed."""

import csv
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from crossfade.planning.inventory import Inventory, read_inventory

SAMPLES = Path(__file__).parents[2] / "data" / "inventories"
SMALL = SAMPLES / "rvtools" / "rvtools-small-complete.xlsx"
LARGE = SAMPLES / "rvtools" / "SizingWorkshop-RVTools.xlsx"
_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read(*paths: Path) -> Inventory:
    return read_inventory(list(paths))


@lru_cache
def read_large() -> Inventory:
    """The large sample, read once for all that look at it."""
    return read(LARGE)


def written(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def headings(text: str) -> list[str]:
    return text.split(",")


def table(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def is_accounted_for(found: Inventory) -> bool:
    """Nothing vanishes: rows are accepted, refused or passed over; accepted ones are records or tell more of one."""
    sheets = all(a.rows == a.accepted + a.refused + a.passed_over for a in found.accounts)
    return sheets and found.accepted == sum(found.told.values()) + found.merged_rows and found.merged_rows >= 0


def rows_of_workbook(path: Path) -> dict[str, list[list[str]]]:
    """Rows that say something, by sheet; read without any of the code under test, and without openpyxl."""
    with zipfile.ZipFile(path) as archive:
        targets = {r.get("Id"): str(r.get("Target")) for r in ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))}
        shared = [
            "".join(t.text or "" for t in item.iter(f"{_NS}t"))
            for item in (
                ET.fromstring(archive.read("xl/sharedStrings.xml"))
                if "xl/sharedStrings.xml" in archive.namelist()
                else ()
            )
        ]
        sheets = ET.fromstring(archive.read("xl/workbook.xml")).iter(f"{_NS}sheet")
        found = {}
        for sheet in sheets:
            place = targets[sheet.get(_RELATION)].removeprefix("/xl/").removeprefix("/")
            tree = ET.fromstring(archive.read(f"xl/{place}"))
            rows = [[_cell(cell, shared) for cell in row.iter(f"{_NS}c")] for row in tree.iter(f"{_NS}row")]
            found[str(sheet.get("name"))] = [row for row in rows if any(cell.strip() for cell in row)]
        return found


def _cell(cell: ET.Element, shared: list[str]) -> str:
    value = cell.findtext(f"{_NS}v")
    if cell.get("t") == "s" and value is not None:
        return shared[int(value)]
    return value or "".join(t.text or "" for t in cell.iter(f"{_NS}t"))


def lines_of_text(path: Path) -> list[list[str]]:
    """Rows of a CSV file that say something, the header left out."""
    text = path.read_text(encoding="utf-8-sig")
    return [row for row in list(csv.reader(text.splitlines()))[1:] if any(row)]


def edited(source: Path, target: Path, part: str, pattern: str, into: str) -> Path:
    """A copy of a workbook in which one part reads differently."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in archive.namelist():
            content = archive.read(name)
            if name == part:
                text, times = re.subn(pattern, lambda _: into, content.decode(), count=1)
                assert times == 1
                content = text.encode()
            copy.writestr(name, content)
    return target
