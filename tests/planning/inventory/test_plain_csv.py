"""Our plain CSV: safe in a spreadsheet, and nothing lost on the way out and back."""

import csv
import io
import unicodedata
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.planning.inventory import Inventory
from crossfade.planning.inventory.plain_csv import HEADINGS, write_plain
from crossfade.planning.inventory.records import (
    Application,
    Database,
    Dependency,
    Disk,
    End,
    Files,
    Host,
    Partition,
    Power,
    Server,
)
from crossfade.planning.inventory.spreadsheet_safe import safe, unsafe
from tests.planning.inventory.exports import SAMPLES, read

RUNS = ("=", "+", "-", "@", "＝", "\t=", " =")
BEGINS = (";", ",", "|", "\t", "\n", "\r", '"')


def could_run(cell: str) -> bool:
    """Whether any program, whatever it takes for a separator, finds the beginning of a formula."""
    for sign in BEGINS:
        cell = cell.replace(sign, "\0")
    return any(part.lstrip(" ").startswith(RUNS) for part in cell.split("\0"))


def told(record: object) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record) if f.name != "places"}  # type: ignore[arg-type]


def content(found: Inventory) -> dict[str, list[dict[str, Any]]]:
    kinds = ("servers", "hosts", "applications", "databases", "files", "dependencies")
    return {kind: sorted((told(record) for record in getattr(found, kind)), key=repr) for kind in kinds}


def written_and_read(found: Inventory, path: Path) -> Inventory:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        write_plain(found, file)
    return read(path)


@pytest.mark.parametrize("source", ["rvtools/rvtools-small-complete.xlsx", "cmf", "ads", "azure", "konveyor"])
def test_nothing_is_lost_when_a_sample_is_written_and_read_back(tmp_path: Path, source: str) -> None:
    found = read(SAMPLES / source)
    again = written_and_read(found, tmp_path / "plain.csv")
    assert again.problems == ()
    assert content(again) == content(found)


words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co", "Cf")), min_size=1, max_size=12)
texts = (
    words | st.sampled_from(["=1+1", "-2", "@SUM(A1)", "'x", "a;b", "a;;=b", ";", '"=x', "a=b", "é", "none", "N/A"])
).map(lambda text: " ".join(text.split()))
texts = texts.map(lambda text: unicodedata.normalize("NFC", text)).filter(bool)
names = texts.filter(lambda text: text.casefold() == text and not text.startswith("localhost"))
sizes = st.integers(0, 2**40)
many = st.lists(texts, max_size=3, unique_by=str.casefold).map(tuple)
percents = st.none() | st.floats(0, 100)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    called = draw(st.lists(st.integers(0, 999), unique=True, max_size=4))
    servers = tuple(
        Server(
            name=f"{draw(names).replace('.', '')}-{number}",
            addresses=(f"10.0.{number >> 8}.{number & 255}",),
            power=draw(st.none() | st.sampled_from(Power)),
            is_template=draw(st.none() | st.booleans()),
            operating_system=draw(st.none() | texts),
            memory_mib=draw(st.none() | sizes),
            disks=tuple(
                Disk(name=f"{i}{draw(texts)}", capacity_mib=draw(sizes)) for i in range(draw(st.integers(0, 2)))
            ),
            partitions=tuple(
                Partition(path=f"{i}{draw(texts)}", capacity_mib=draw(sizes), used_mib=draw(st.none() | sizes))
                for i in range(draw(st.integers(0, 2)))
            ),
            tags=draw(many),
            owner=draw(st.none() | texts),
            cpu_average_percent=draw(percents),
        )
        for number in called
    )
    ends = st.builds(End, application=texts) | st.builds(End, told=st.just("gone.example"), address=st.just("10.9.9.9"))
    if servers:
        ends |= st.sampled_from(servers).map(lambda server: End(server=server.name))
    dependencies = tuple(
        Dependency(
            source=draw(ends),
            destination=draw(ends),
            port=port,
            connections=draw(st.integers(1, 9)),
            latency_ms=draw(percents),
        )
        for port in draw(st.lists(st.integers(1, 65535), unique=True, max_size=3))
    )
    named = {end.application for d in dependencies for end in (d.source, d.destination) if end.application}
    by_key = {name.casefold(): name for name in sorted(named)}
    return Inventory(
        servers=servers,
        hosts=(Host(name=draw(texts), cores=draw(st.none() | sizes)),),
        applications=tuple(
            Application(name=name, owner=draw(st.none() | texts), tags=draw(many)) for name in by_key.values()
        ),
        databases=(Database(name=draw(texts), engine=draw(st.none() | texts), server="elsewhere.example"),),
        files=(Files(name=draw(texts), path=draw(st.none() | texts), size_mib=draw(st.none() | sizes)),),
        dependencies=tuple(d for d in dependencies if len(by_key) == len(named)),
    )


@settings(max_examples=50, deadline=None)
@given(found=inventories())
def test_whatever_is_written_is_read_back_and_no_cell_of_it_runs(
    tmp_path_factory: pytest.TempPathFactory, found: Inventory
) -> None:
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    again = written_and_read(found, path)
    assert again.problems == ()
    assert content(again) == content(found)
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    assert tuple(rows[0]) == HEADINGS
    assert [cell for row in rows for cell in row if could_run(cell)] == []


@given(text=st.text() | st.text(st.sampled_from("=+-@;,|\t\n\r\"' ＝ax")))
def test_a_safe_text_runs_nowhere_and_is_what_it_was(text: str) -> None:
    assert unsafe(safe(text)) == text
    assert not could_run(safe(text))


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "x;=1+1", '","=1', "\t=1", "a\n=1"])
def test_known_injections_are_disarmed(cell: str) -> None:
    assert could_run(cell)
    assert not could_run(safe(cell))


def test_names_that_would_run_are_kept_in_the_model_and_disarmed_in_the_file(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text('VM,Powerstate,CPUs,Memory\n"=HYPERLINK(""http://x"")",poweredOn,2,4096\n')
    found = read(source)
    assert found.servers[0].name == '=HYPERLINK("http://x")'
    again = written_and_read(found, tmp_path / "out.csv")
    assert [server.name for server in again.servers] == [found.servers[0].name]
    assert ",'=HYPERLINK" in (tmp_path / "out.csv").read_text().replace('"', "")
