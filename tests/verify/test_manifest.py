"""Work that is shared, left and taken up again: the contract of manifests, and processes that are killed."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from crossfade.model.seen import Difference
from crossfade.model.terms import Side
from crossfade.verify.bounds import Chunk
from crossfade.verify.examination import How, examine
from crossfade.verify.manifest import Job, Manifest, MemoryManifest, Outcome, Progress
from crossfade.verify.outcome import Finding
from crossfade.verify.postgres import VerifySettings
from crossfade.verify.shared_manifest import ManifestOfOther, ManifestUnusable, SqliteManifest
from crossfade.verify.statement import Slice
from tests.verify.asking import found
from tests.verify.conftest import Pair
from tests.waiting import wait_for

TARGET = Side.TARGET
CHUNKS = (
    Chunk(table="a", part=Slice(upto=("5", "x")), rows=10),
    Chunk(
        table="a",
        part=Slice(after=("5", "x"), upto=("9", "x"), modulus=4, residues=(1, 3), cuts=(("6", "x"), ("7", "y"))),
        rows=7,
    ),
)
WHOLE = Chunk(table="b", part=None, rows=1)
FOUND = Outcome(
    rows=9,
    findings=(
        Finding(
            difference=Difference(table="a", key='{"id": 1}', kind="changed", columns=("v", "w")),
            key=("1", "x"),
            source={"v": None, "w": "é"},
            target=None,
        ),
    ),
    unresolved=("a: odd",),
)


@pytest.fixture(params=["memory", "file"])
def manifest(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manifest]:
    if request.param == "memory":
        yield MemoryManifest()
        return
    shared = SqliteManifest(tmp_path / "manifest", "same")
    yield shared
    shared.close()


def taken(manifest: Manifest) -> Job:
    job = manifest.take()
    assert job is not None
    return job


def test_gives_each_job_once_in_the_order_of_tables(manifest: Manifest) -> None:
    manifest.begin(["a", "b"])
    manifest.begin(["a", "b"])
    first = taken(manifest)
    assert (first.table, first.chunk) == ("a", None)
    manifest.cut(first, CHUNKS)
    assert [taken(manifest).chunk for _ in CHUNKS] == [*CHUNKS]
    other = taken(manifest)
    assert (other.table, other.chunk) == ("b", None)
    assert manifest.take() is None
    assert not manifest.finished()


def test_keeps_what_was_found_until_all_is_done(manifest: Manifest) -> None:
    manifest.begin(["a", "b"])
    manifest.cut(taken(manifest), CHUNKS)
    one, two = taken(manifest), taken(manifest)
    manifest.done(two, Outcome(rows=3))
    manifest.done(one, FOUND)
    assert manifest.progress() == Progress(rows=12, of_rows=12, chunks=2, of_chunks=2)
    assert (manifest.differences("a"), manifest.differences("b"), manifest.differences()) == (1, 0, 1)
    manifest.cut(taken(manifest), [WHOLE])
    assert manifest.progress() == Progress(rows=12, of_rows=13, chunks=2, of_chunks=3)
    last = taken(manifest)
    assert last.chunk == WHOLE
    manifest.done(last, Outcome())
    assert manifest.finished()
    assert list(manifest.outcomes()) == [("a", FOUND), ("a", Outcome(rows=3)), ("b", Outcome())]


def test_gives_a_job_to_somebody_else_when_it_was_given_back(manifest: Manifest) -> None:
    manifest.begin(["a"])
    job = taken(manifest)
    assert manifest.take() is None
    manifest.give_back(job)
    assert taken(manifest) == job


def test_goes_on_in_the_file_when_the_same_is_compared_again(tmp_path: Path) -> None:
    path = tmp_path / "manifest"
    before = SqliteManifest(path, "same")
    before.begin(["a", "b"])
    before.cut(taken(before), CHUNKS)
    before.done(taken(before), FOUND)
    before.close()
    again = SqliteManifest(path, "same")
    again.begin(["a", "b"])
    assert list(again.outcomes()) == [("a", FOUND)]
    assert taken(again).chunk == CHUNKS[1]
    again.close()
    assert path.stat().st_mode & 0o077 == 0


def test_refuses_the_file_when_something_else_is_compared(tmp_path: Path) -> None:
    SqliteManifest(tmp_path / "manifest", "one").close()
    with pytest.raises(ManifestOfOther):
        SqliteManifest(tmp_path / "manifest", "another")


@pytest.mark.parametrize("path", ["no/such/folder", "text"])
def test_refuses_a_file_that_cannot_be_a_manifest(tmp_path: Path, path: str) -> None:
    (tmp_path / "text").write_text("this is no database " * 99, encoding="utf-8")
    with pytest.raises(ManifestUnusable):
        SqliteManifest(tmp_path / path, "same")


def test_waits_for_whoever_makes_the_file_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "manifest"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # as it does within the change to a log that is written ahead
        rests: list[float] = []

        def rest(seconds: float) -> None:
            rests.append(seconds)
            other.execute("COMMIT")

        monkeypatch.setattr("crossfade.verify.shared_manifest.time", SimpleNamespace(monotonic=monotonic, sleep=rest))
        manifest = SqliteManifest(path, "same")
        manifest.close()
    assert len(rests) == 1


def test_takes_the_job_of_a_process_that_died_and_of_no_other(tmp_path: Path) -> None:
    path = tmp_path / "manifest"
    ours = SqliteManifest(path, "same")
    ours.begin(["a"])
    program = (
        "import sys, os; from pathlib import Path; from crossfade.verify.shared_manifest import SqliteManifest\n"
        "SqliteManifest(Path(sys.argv[1]), 'same').take(); print('taken', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        assert ours.take() is None
        other.kill()
        other.wait()
    assert taken(ours).table == "a"
    ours.close()


ROWS = (
    "CREATE TABLE many (id int PRIMARY KEY, v text)",
    "INSERT INTO many SELECT i, 'v' || i FROM generate_series(1, 3000) i",
    "CREATE TABLE bag (v text)",
    "INSERT INTO bag SELECT 'v' || i % 7 FROM generate_series(1, 100) i",
)
PLANTED = ["250", "251", "1777", "2999"]


class Process:
    """`tests.verify.working` beside us."""

    def __init__(self, pair: Pair, path: Path, log: Path, *, chunks: int) -> None:
        self.log, self._go_on = log, log.with_suffix(".go-on")
        dsns = [pair.dsn(side) for side in Side]
        with log.open("w", encoding="utf-8") as file:
            argv = [sys.executable, "-m", "tests.verify.working", *dsns, str(path), str(chunks), str(self._go_on)]
            self.running = subprocess.Popen(argv, stdout=file, env=os.environ)

    def go_on(self) -> None:
        self._go_on.touch()

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]

    def chunks(self) -> list[int]:
        return [line["chunk"] for line in self.told() if "chunk" in line]


def assert_all_done_once(path: Path, told: list[int]) -> None:
    """Whoever is killed may have done a chunk for each of its two workers without having told of it."""
    with closing(sqlite3.connect(path)) as database:
        numbers = [row[0] for row in database.execute("SELECT number FROM jobs WHERE chunk IS NOT NULL")]
    assert len(numbers) > 20
    assert len(set(told)) == len(told)
    assert set(told) <= set(numbers)
    assert len(told) >= len(numbers) - 2


@pytest.fixture
def planted(databases: Pair) -> Pair:
    databases.both(*ROWS)
    databases.run(TARGET, f"UPDATE many SET v = 'x' WHERE id IN ({', '.join(PLANTED)})")
    return databases


@pytest.mark.parts
def test_misses_nothing_when_one_of_two_processes_is_killed(planted: Pair, tmp_path: Path) -> None:
    path = tmp_path / "manifest"
    killed = Process(planted, path, tmp_path / "killed", chunks=2)
    try:
        other = Process(planted, path, tmp_path / "other", chunks=2)
        try:
            wait_for(lambda: len(killed.chunks()) == 2)
            wait_for(lambda: len(other.chunks()) == 2)
            killed.running.kill()
            killed.running.wait()
            other.go_on()
            assert other.running.wait(180) == 0
        finally:
            other.running.kill()
            other.running.wait()
    finally:
        killed.running.kill()
        killed.running.wait()
    end = other.told()[-1]
    assert end["rows"] == 3100
    assert sorted(json.loads(key)["id"] for key in end["keys"]) == sorted(map(int, PLANTED))
    assert set(killed.chunks()).isdisjoint(other.chunks())  # what was done is not done again
    assert_all_done_once(path, killed.chunks() + other.chunks())


@pytest.mark.parts
def test_does_only_what_is_left_when_it_is_run_again(planted: Pair, tmp_path: Path) -> None:
    path = tmp_path / "manifest"
    killed = Process(planted, path, tmp_path / "killed", chunks=4)
    try:
        wait_for(lambda: len(killed.chunks()) == 4)
    finally:
        killed.running.kill()
        killed.running.wait()
    again: list[int] = []

    class Counting(SqliteManifest):
        def done(self, job: Job, outcome: Outcome) -> None:
            again.append(job.number)
            super().done(job, outcome)

    settings = VerifySettings(source=planted.dsn(Side.SOURCE), target=planted.dsn(TARGET), rest_chunk_rows=100)
    examined = examine(settings, How(manifest=lambda fingerprint: Counting(path, fingerprint)))
    assert set(examined.verification.differences) == set(found(planted).differences)
    assert examined.verification.rows == 3100
    assert set(again).isdisjoint(killed.chunks())
    assert_all_done_once(path, killed.chunks() + again)
    again.clear()
    finished = examine(settings, How(manifest=lambda fingerprint: Counting(path, fingerprint)))
    assert (finished.findings, again) == (examined.findings, [])


@pytest.mark.parts
def test_finds_the_same_when_several_workers_compare(planted: Pair) -> None:
    seen: list[Progress] = []
    settings = VerifySettings(
        source=planted.dsn(Side.SOURCE), target=planted.dsn(TARGET), rest_chunk_rows=100, workers=4
    )
    examined = examine(settings, How(progress=seen.append))
    assert {json.loads(d.key)["id"] for d in examined.verification.differences} == set(map(int, PLANTED))
    assert examined.verification.rows == 3100
    assert seen[-1].rows == seen[-1].of_rows == 3100
    assert all(one.rows <= one.of_rows for one in seen)
