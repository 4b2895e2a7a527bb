"""How many chunks a worker compares at once."""

from types import SimpleNamespace
from typing import Any

from crossfade.verify.bounds import Chunk
from crossfade.verify.manifest import Job, MemoryManifest, Outcome
from crossfade.verify.statement import Slice
from crossfade.verify.stretch import MOST_CHUNKS, Stretch, part_of


def found(*, waited: float = 0.0, doubtful: bool = False) -> Any:
    return SimpleNamespace(waited_seconds=waited, doubtful=doubtful)


def cut_in(*bounds: str) -> MemoryManifest:
    """A manifest of one table whose chunks end at these keys, the last one open."""
    manifest = MemoryManifest()
    manifest.begin(["t"])
    table = manifest.take()
    assert table is not None
    ends = [*((bound,) for bound in bounds), None]
    manifest.cut(
        table,
        [
            Chunk(table="t", part=Slice(after=after, upto=upto), rows=10)
            for after, upto in zip([None, *ends], ends, strict=False)
        ],
    )
    return manifest


def parts(jobs: list[Job]) -> list[Slice | None]:
    return [job.chunk.part if job.chunk else None for job in jobs]


def test_takes_more_chunks_while_waits_take_the_time_and_fewer_when_one_is_in_doubt() -> None:
    stretch = Stretch()
    sizes = []
    for seen in (found(waited=0.9), found(waited=0.9), found(waited=0.01), found(waited=0.9, doubtful=True)):
        stretch.after(seen, 1.0)
        sizes.append(stretch.chunks)
    assert sizes == [2, 4, 4, 2]
    for _ in range(9):
        stretch.after(found(waited=0.9), 1.0)
    assert stretch.chunks == MOST_CHUNKS


def test_stays_at_one_chunk_when_nothing_is_waited_for() -> None:
    stretch = Stretch()
    stretch.after(found(), 1.0)
    assert stretch.chunks == 1


def test_compares_chunks_as_one_when_they_adjoin() -> None:
    manifest, stretch = cut_in("10", "20", "30"), Stretch()
    stretch.chunks = 2
    jobs = stretch.take(manifest)
    assert part_of(jobs) == Slice(after=None, upto=("20",))
    assert part_of(stretch.take(manifest)) == Slice(after=("20",), upto=None)
    assert stretch.take(manifest) == []


def test_gives_back_a_chunk_when_another_worker_has_the_one_before() -> None:
    manifest, stretch = cut_in("10", "20", "30"), Stretch()
    stretch.chunks = 3
    first, second = manifest.take(), manifest.take()
    assert first is not None
    assert second is not None
    manifest.give_back(first)
    assert parts(stretch.take(manifest)) == [Slice(after=None, upto=("10",))]
    manifest.done(second, Outcome())
    assert part_of(stretch.take(manifest)) == Slice(after=("20",), upto=None)


def test_a_table_is_cut_alone_when_more_chunks_are_wanted() -> None:
    manifest, stretch = MemoryManifest(), Stretch()
    manifest.begin(["t", "u"])
    stretch.chunks = 4
    jobs = stretch.take(manifest)
    assert [job.table for job in jobs] == ["t"]
    assert part_of(jobs) is None
