"""What the port promises, of files in memory and of a real agent's alike."""

from pathlib import Path
from typing import Protocol

import pytest

from crossfade.files.errors import TargetHoldsWrites
from crossfade.files.memory import MemoryFiles
from crossfade.files.port import Files
from crossfade.model.seen import FileSync
from crossfade.model.terms import NoData, Side
from tests.files.shares import Shares, contents, eventually, put


class World(Protocol):
    @property
    def files(self) -> Files: ...
    def put(self, side: Side, path: str, content: bytes) -> None: ...
    def remove(self, side: Side, path: str) -> None: ...
    def contents(self, side: Side) -> dict[str, bytes]: ...


class InMemory:
    def __init__(self) -> None:
        self.files = self._memory = MemoryFiles()

    def put(self, side: Side, path: str, content: bytes) -> None:
        self._memory.shares[side][path] = content

    def remove(self, side: Side, path: str) -> None:
        del self._memory.shares[side][path]

    def contents(self, side: Side) -> dict[str, bytes]:
        return self._memory.shares[side]


class OnDisk:
    def __init__(self, shares: Shares) -> None:
        shares.start_agent()
        self._places: dict[Side, Path] = {Side.SOURCE: shares.source, Side.TARGET: shares.target}
        self.files = shares.client()

    def put(self, side: Side, path: str, content: bytes) -> None:
        put(self._places[side], path, content)

    def remove(self, side: Side, path: str) -> None:
        (self._places[side] / path).unlink()

    def contents(self, side: Side) -> dict[str, bytes]:
        return contents(self._places[side])


@pytest.fixture(params=["memory", pytest.param("agent", marks=pytest.mark.parts)])
def world(request: pytest.FixtureRequest, shares: Shares) -> World:
    return InMemory() if request.param == "memory" else OnDisk(shares)


def comes_in_step(world: World, primary: Side, expected: dict[str, bytes]) -> None:
    def in_step() -> bool:
        state = world.files.state()
        fine = isinstance(state, FileSync) and (state.primary, state.pending, state.files) == (
            primary,
            0,
            len(expected),
        )
        return fine and world.contents(Side.SOURCE) == world.contents(Side.TARGET) == expected

    eventually(in_step)


def test_nothing_is_known_when_no_side_is_followed(world: World) -> None:
    assert isinstance(world.files.state(), NoData)


def test_writes_and_deletions_appear_on_the_other_side_when_followed(world: World) -> None:
    world.put(Side.SOURCE, "2024/1.txt", b"one")
    world.put(Side.SOURCE, "2024/2.txt", b"two")
    world.files.follow(Side.SOURCE)
    comes_in_step(world, Side.SOURCE, {"2024/1.txt": b"one", "2024/2.txt": b"two"})
    world.put(Side.SOURCE, "2024/3.txt", b"three")
    world.remove(Side.SOURCE, "2024/1.txt")
    comes_in_step(world, Side.SOURCE, {"2024/2.txt": b"two", "2024/3.txt": b"three"})


def test_the_final_delta_arrives_and_then_the_new_direction_when_turned_there_and_back(world: World) -> None:
    world.files.follow(Side.SOURCE)
    world.put(Side.SOURCE, "1.txt", b"one")
    comes_in_step(world, Side.SOURCE, {"1.txt": b"one"})
    world.put(Side.SOURCE, "2.txt", b"two")
    world.files.follow(Side.TARGET)
    world.put(Side.TARGET, "3.txt", b"three")
    comes_in_step(world, Side.TARGET, {"1.txt": b"one", "2.txt": b"two", "3.txt": b"three"})
    world.put(Side.TARGET, "4.txt", b"four")
    world.files.follow(Side.SOURCE)
    world.put(Side.SOURCE, "5.txt", b"five")
    everything = {"1.txt": b"one", "2.txt": b"two", "3.txt": b"three", "4.txt": b"four", "5.txt": b"five"}
    comes_in_step(world, Side.SOURCE, everything)


def test_both_shares_stay_as_they_are_when_stopped(world: World) -> None:
    world.put(Side.SOURCE, "1.txt", b"one")
    world.files.follow(Side.SOURCE)
    comes_in_step(world, Side.SOURCE, {"1.txt": b"one"})
    world.files.stop()
    world.files.stop()
    world.put(Side.SOURCE, "2.txt", b"two")
    assert isinstance(world.files.state(), NoData)
    assert world.contents(Side.TARGET) == {"1.txt": b"one"}
    world.files.follow(Side.SOURCE)
    comes_in_step(world, Side.SOURCE, {"1.txt": b"one", "2.txt": b"two"})


def test_the_targets_copy_is_gone_and_the_source_whole_when_reverted(world: World) -> None:
    world.put(Side.SOURCE, "2024/1.txt", b"one")
    world.files.follow(Side.SOURCE)
    comes_in_step(world, Side.SOURCE, {"2024/1.txt": b"one"})
    for _ in range(2):
        world.files.revert()
        assert world.contents(Side.TARGET) == {}
        assert world.contents(Side.SOURCE) == {"2024/1.txt": b"one"}
    world.files.follow(Side.SOURCE)
    comes_in_step(world, Side.SOURCE, {"2024/1.txt": b"one"})


def test_nothing_happens_when_reverted_before_anything_was_asked(world: World) -> None:
    world.files.revert()
    world.files.stop()
    assert isinstance(world.files.state(), NoData)


def test_the_copy_is_kept_when_the_target_is_the_primary(world: World) -> None:
    world.files.follow(Side.SOURCE)
    world.files.follow(Side.TARGET)
    world.put(Side.TARGET, "1.txt", b"one")
    with pytest.raises(TargetHoldsWrites):
        world.files.revert()
    comes_in_step(world, Side.TARGET, {"1.txt": b"one"})


def test_what_was_written_on_the_target_is_on_the_source_when_reverted_after_failing_back(world: World) -> None:
    world.files.follow(Side.SOURCE)
    world.files.follow(Side.TARGET)
    world.put(Side.TARGET, "1.txt", b"one")
    comes_in_step(world, Side.TARGET, {"1.txt": b"one"})
    world.put(Side.TARGET, "2.txt", b"two")
    world.files.follow(Side.SOURCE)
    world.files.revert()
    assert world.contents(Side.SOURCE) == {"1.txt": b"one", "2.txt": b"two"}
    assert world.contents(Side.TARGET) == {}
