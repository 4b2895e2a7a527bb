"""A verification in parts that share nothing but lines: what is cut, compared in any order, and gathered."""

import dataclasses
import json
from collections.abc import Sequence

import pytest

from crossfade.model.seen import Difference
from crossfade.model.terms import Side
from crossfade.verify.bounds import Chunk
from crossfade.verify.distributed import ChunksOfOther, CutManifest, GatheredManifest, PartManifest
from crossfade.verify.examination import Examination, How, examine
from crossfade.verify.lines import ChunkLine, LinesUnreadable, ResultLine, read_lines
from crossfade.verify.manifest import Outcome
from crossfade.verify.outcome import Finding
from crossfade.verify.settings import Values, VerifySettings
from crossfade.verify.statement import Slice
from tests.verify.conftest import Pair

NAME = "chunks.jsonl"
OF, OTHER = "a" * 64, "b" * 64
CHUNK = ChunkLine(
    of=OF, number=1, chunk=Chunk(table="a", part=Slice(after=("5", "x"), modulus=4, residues=(1,)), rows=7)
)
PARTED = ChunkLine(
    of=OF, number=1, chunk=Chunk(table="a", part=Slice(after=("1",), upto=("9",), cuts=(("5",),)), rows=7)
)
WHOLE = ChunkLine(of=OF, number=2, chunk=Chunk(table="b", part=None, rows=1))
FINDING = Finding(
    difference=Difference(table="a", key='{"id": 1}', kind="changed", columns=("v",), written_since_switch=True),
    key=("1", "x"),
    source={"v": None},
    target={"v": "é"},
)
RESULT = ResultLine(of=OF, number=1, table="a", outcome=Outcome(rows=9, findings=(FINDING,), unresolved=("a: odd",)))
ROWS = (
    "CREATE TABLE many (id int PRIMARY KEY, v text)",
    "INSERT INTO many SELECT i, 'v' || i FROM generate_series(1, 3000) i",
    "CREATE TABLE bag (v text)",
    "INSERT INTO bag SELECT 'v' || i % 7 FROM generate_series(1, 100) i",
    "CREATE TABLE empty (id int PRIMARY KEY)",
    "ANALYZE",
)


def encoded(*lines: ChunkLine | ResultLine) -> list[bytes]:
    return [line.text().encode() for line in lines]


def test_what_is_written_is_read_back() -> None:
    assert read_lines([*encoded(CHUNK), b" \n", *encoded(PARTED, WHOLE)], ChunkLine, NAME) == (CHUNK, PARTED, WHOLE)
    assert read_lines(encoded(RESULT), ResultLine, NAME) == (RESULT,)


def test_a_batch_of_a_distributed_map_is_read_as_its_lines() -> None:
    batch = {"BatchInput": {"bucket": "x"}, "Items": [json.loads(line) for line in encoded(CHUNK, WHOLE)]}
    assert read_lines([json.dumps(batch).encode()], ChunkLine, NAME) == (CHUNK, WHOLE)


def test_every_fault_is_told_with_its_place_and_without_what_stood_there() -> None:
    good = CHUNK.text()
    lines = [
        "s3cret",
        good.replace('"rows":7', '"rows":"s3cret"'),
        good.replace('"modulus":4', '"modulus":3'),
        good.replace('"residues":[1]', '"residues":[4]'),
        good.replace('"upto"', '"s3cret"'),
        good.replace('"cuts":[]', '"cuts":[["7","s3cret"]]'),  # of a chunk that has no upper bound
        json.dumps({"Items": [{"version": 1}]}),
        good.replace('"version":1', '"version":2'),
        good.replace(OF, "s3cret"),
    ]
    with pytest.raises(LinesUnreadable) as told:
        read_lines([line.encode() for line in lines], ChunkLine, NAME)
    assert {fault.line for fault in told.value.faults} == set(range(1, len(lines) + 1))
    assert "chunks.jsonl cannot be read: line 1: " in str(told.value)
    assert "line 2, chunk.rows: " in str(told.value)
    assert "s3cret" not in str(told.value).replace("chunk.part.s3cret", "")


def test_lines_of_another_comparison_are_refused() -> None:
    foreign = CHUNK.model_copy(update={"of": OTHER})
    for make in (
        lambda: PartManifest(OF, [CHUNK, foreign], print),
        lambda: GatheredManifest(OF, [foreign], []),
        lambda: GatheredManifest(OF, [CHUNK], [RESULT.model_copy(update={"of": OTHER})]),
        lambda: GatheredManifest(OF, [CHUNK], [RESULT.model_copy(update={"number": 2})]),
        lambda: GatheredManifest(OF, [CHUNK], [RESULT.model_copy(update={"table": "b"})]),
    ):
        with pytest.raises(ChunksOfOther):
            make()


def test_what_has_no_result_is_unresolved_and_what_came_twice_counts_once() -> None:
    later = RESULT.model_copy(update={"outcome": Outcome(rows=8)})
    gathered = GatheredManifest(OF, [CHUNK, WHOLE], [RESULT, later])
    gathered.begin(["a", "b", "c"])
    assert gathered.take() is None
    assert gathered.finished()
    assert list(gathered.outcomes()) == [
        ("b", Outcome(unresolved=("b: 1 of 1 chunks have no result",))),
        ("c", Outcome(unresolved=("c: no part of it was cut",))),
        ("a", Outcome(rows=8)),
    ]


def cut(settings: VerifySettings) -> tuple[ChunkLine, ...]:
    cutting = CutManifest()
    assert examine(settings, How(manifest=cutting.of)).verification.rows == 0
    return read_lines(encoded(*cutting.lines()), ChunkLine, NAME)


def compared(settings: VerifySettings, part: Sequence[ChunkLine]) -> tuple[ResultLine, ...]:
    found: list[ResultLine] = []
    examine(settings, How(manifest=lambda of: PartManifest(of, part, found.append)))
    return read_lines(encoded(*found), ResultLine, NAME)


def gathered(settings: VerifySettings, lines: Sequence[ChunkLine], found: Sequence[ResultLine]) -> Examination:
    return examine(settings, How(manifest=lambda of: GatheredManifest(of, lines, found)))


@pytest.mark.parts
def test_parts_compared_in_any_order_find_what_one_verification_finds(databases: Pair) -> None:
    databases.both(*ROWS)
    databases.run(Side.TARGET, "UPDATE many SET v = 'x' WHERE id IN (250, 251, 2999)", "DELETE FROM many WHERE id = 9")
    databases.run(Side.TARGET, "INSERT INTO bag VALUES ('extra')")
    settings = dataclasses.replace(databases.settings, rest_chunk_rows=100, values=Values.SHOWN)
    lines = cut(settings)
    assert [line.number for line in lines] == [*range(1, len(lines) + 1)]
    assert len(lines) > 30
    odd, even = compared(settings, lines[1::2]), compared(dataclasses.replace(settings, workers=2), lines[::2])
    assert sorted(result.number for result in (*odd, *even)) == [line.number for line in lines]
    whole, parts = examine(settings, How()), gathered(settings, lines, [*odd, *even, *odd])
    assert parts.findings == whole.findings
    assert len(parts.findings) == 5
    assert (parts.verification.rows, parts.verification.unresolved) == (3100, ())
    left_out = gathered(settings, lines, odd).verification
    missing, of = (sum(line.chunk.table == "public.many" for line in some) for some in (lines[::2], lines))
    assert f"public.many: {missing} of {of} chunks have no result" in left_out.unresolved
    with pytest.raises(ChunksOfOther):
        compared(dataclasses.replace(settings, strict=True), lines)
