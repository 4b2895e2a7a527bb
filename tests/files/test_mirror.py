"""Rounds over real folders, without a process."""

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.files import delivery
from crossfade.files.compare import FileDifference, Kind, differences
from crossfade.files.errors import ShareUnusable
from crossfade.files.index import Index
from crossfade.files.mirror import Direction, Mirror, Round
from crossfade.files.plan import Mode
from crossfade.files.share import Share
from crossfade.model.terms import Side
from tests.files.shares import PATIENCE, contents, eventually, put

FORWARD = Direction(primary=Side.SOURCE, mode=Mode.FOLLOW)
BACK = Direction(primary=Side.TARGET, mode=Mode.FOLLOW_BACK)
TURN = Direction(primary=Side.SOURCE, mode=Mode.TURN)


class Pair:
    def __init__(self, root: Path) -> None:
        self.source, self.target, self._index_at = root / "source", root / "target", root / "index.sqlite"
        self.source.mkdir()
        self.target.mkdir()
        self.shares = {Side.SOURCE: Share(self.source), Side.TARGET: Share(self.target)}
        self.index = Index(self._index_at)
        self.mirror = Mirror(self.shares, self.index)

    def settle(self, direction: Direction) -> Round:
        """Rounds until nothing is left but what somebody must help with."""
        rounds: list[Round] = []

        def done() -> bool:
            rounds.append(self.mirror.go_round(direction, thorough=True))
            return rounds[-1].undone == rounds[-1].failed

        eventually(done)
        return rounds[-1]

    def restart(self) -> None:
        self.index.__exit__(None, None, None)
        self.index = Index(self._index_at)
        self.mirror = Mirror(self.shares, self.index)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.index.__exit__(None, None, None)


def test_the_copy_has_content_mode_and_time_when_delivered(pair: Pair) -> None:
    original = put(pair.source, "2024/05/1.txt", b"statement", modified=1_700_000_000)
    original.chmod(0o640)
    found = pair.settle(FORWARD)
    copy = pair.target / "2024/05/1.txt"
    assert copy.read_bytes() == b"statement"
    assert (copy.stat().st_mode & 0o777, copy.stat().st_mtime) == (0o640, 1_700_000_000)
    assert (found.files, found.bytes, found.pending) == (1, 9, 0)


def test_only_the_changed_file_is_written_when_one_of_many_changed(pair: Pair) -> None:
    for number in range(50):
        put(pair.source, f"{number}.txt", b"before", modified=1_700_000_000)
    pair.settle(FORWARD)
    inodes = {file.name: file.stat().st_ino for file in pair.target.iterdir()}
    put(pair.source, "7.txt", b"after", modified=1_700_000_001)
    pair.restart()
    pair.settle(FORWARD)
    written = {file.name for file in pair.target.iterdir() if file.stat().st_ino != inodes[file.name]}
    assert written == {"7.txt"}
    assert (pair.target / "7.txt").read_bytes() == b"after"


def test_a_file_changed_in_place_is_delivered_when_looked_at_thoroughly(pair: Pair) -> None:
    place = put(pair.source, "1.txt", b"before", modified=1_700_000_000)
    pair.settle(FORWARD)
    with place.open("r+b") as file:
        file.write(b"after!")
    pair.settle(FORWARD)
    assert (pair.target / "1.txt").read_bytes() == b"after!"


def test_a_deletion_is_delivered_when_the_file_left_the_primary(pair: Pair) -> None:
    put(pair.source, "a/1.txt", b"1", modified=1)
    put(pair.source, "a/2.txt", b"2", modified=1)
    pair.settle(FORWARD)
    (pair.source / "a/1.txt").unlink()
    pair.settle(FORWARD)
    assert contents(pair.target) == {"a/2.txt": b"2"}


def test_the_copy_is_mended_when_somebody_changed_or_removed_it(pair: Pair) -> None:
    for name in ("1.txt", "2.txt"):
        put(pair.source, name, b"right", modified=1)
    pair.settle(FORWARD)
    (pair.target / "1.txt").write_bytes(b"wrong")
    (pair.target / "2.txt").unlink()
    pair.settle(FORWARD)
    assert contents(pair.target) == {"1.txt": b"right", "2.txt": b"right"}


def test_nothing_is_deleted_when_the_primary_looks_unmounted(pair: Pair) -> None:
    for number in range(20):
        put(pair.source, f"{number}.txt", b"x", modified=1)
    pair.settle(FORWARD)
    for file in pair.source.iterdir():
        file.unlink()
    found = pair.mirror.go_round(FORWARD, thorough=True)
    assert not found.complete
    assert found.pending == 20
    assert "vanished" in found.faults[0].problem
    assert len(contents(pair.target)) == 20
    pair.source.rmdir()
    with pytest.raises(ShareUnusable):
        pair.mirror.go_round(FORWARD, thorough=True)
    assert len(contents(pair.target)) == 20
    pair.source.mkdir()
    for file in pair.target.iterdir():
        file.unlink()
    assert pair.mirror.go_round(FORWARD, thorough=True).complete, "emptying both sides is the way to mean it"


def test_what_cannot_be_copied_is_reported_when_it_is_no_file(pair: Pair) -> None:
    (pair.source / "secret").symlink_to("/etc/hostname")
    (pair.source / "loop").symlink_to(pair.source)
    os.mkfifo(pair.source / "pipe")
    put(pair.source, "1.txt", b"fine", modified=1)
    found = pair.settle(FORWARD)
    assert contents(pair.target) == {"1.txt": b"fine"}
    assert sorted(fault.path for fault in found.faults) == ["loop", "pipe", "secret"]
    assert found.pending == 3


def test_unfinished_files_are_ignored_when_under_temporary_names(pair: Pair) -> None:
    for name in ("1.txt.tmp", "2.part", ".3.txt.4711", ".crossfade-ab.partial"):
        (pair.source / name).write_bytes(b"half")
    assert pair.settle(FORWARD).files == 0
    assert contents(pair.target) == {}


def test_odd_names_are_copied_when_the_system_allows_them(pair: Pair) -> None:
    names = [b"new\nline", b"-rf", b"\xff\xfe not utf-8", "żółć".encode(), b"a" * 255, b" ", b"..."]
    for name in names:
        (pair.source / os.fsdecode(name)).write_bytes(name)
        os.utime(pair.source / os.fsdecode(name), (1, 1))
    pair.settle(FORWARD)
    pair.restart()
    assert pair.settle(FORWARD).pending == 0
    assert sorted(os.fsencode(file.name) for file in pair.target.iterdir()) == sorted(names)


def test_nothing_outside_is_written_when_a_folder_on_the_other_side_is_a_link(pair: Pair, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (pair.target / "2024").symlink_to(outside)
    put(pair.source, "2024/1.txt", b"x", modified=1)
    found = pair.settle(FORWARD)
    assert list(outside.iterdir()) == []
    assert found.failed == 1


def test_it_is_reported_when_a_folder_stands_in_a_files_place(pair: Pair) -> None:
    put(pair.source, "1", b"file", modified=1)
    put(pair.target, "1/inside", b"other", modified=1)
    found = pair.settle(FORWARD)
    assert found.failed == 1
    assert any("stands in its place" in fault.problem for fault in found.faults)
    assert contents(pair.target) == {"1/inside": b"other"}


def test_all_else_is_delivered_and_the_rest_later_when_one_cannot_be_read(pair: Pair) -> None:
    for name in ("1.txt", "2.txt", "3.txt"):
        put(pair.source, name, b"x", modified=1)
    opened = os.open

    def refuse(path: str, *rest: int, dir_fd: int | None = None) -> int:
        if path == "2.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *rest, dir_fd=dir_fd)

    with patch("os.open", refuse):
        found = pair.settle(FORWARD)
    assert contents(pair.target).keys() == {"1.txt", "3.txt"}
    assert (found.pending, [fault.path for fault in found.faults]) == (1, ["2.txt"])
    assert pair.settle(FORWARD).pending == 0
    assert len(contents(pair.target)) == 3


def test_nothing_half_written_is_left_when_the_disk_is_full(pair: Pair) -> None:
    put(pair.source, "1.txt", b"x" * 100, modified=1)
    writing = os.write

    def full(descriptor: int, block: bytes) -> int:
        if len(block) == 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return writing(descriptor, block[:50])

    with patch("os.write", full):
        found = pair.settle(FORWARD)
    assert "No space left" in found.faults[0].problem
    assert found.pending == 1
    assert list(pair.target.iterdir()) == []
    assert pair.settle(FORWARD).pending == 0


def test_a_copy_is_not_given_its_name_when_the_disk_returned_something_else(pair: Pair) -> None:
    put(pair.source, "1.txt", b"precious", modified=1)
    writing = os.write
    with patch("os.write", lambda descriptor, block: writing(descriptor, bytes(len(block)))):
        found = pair.mirror.go_round(FORWARD, thorough=True)
    assert found.pending == 1
    assert list(pair.target.iterdir()) == []


def test_the_whole_file_arrives_when_it_was_changed_while_being_copied(pair: Pair) -> None:
    place = put(pair.source, "1.txt", b"before" * 1000, modified=1)
    writing = os.write
    changed: list[Path] = []

    def meddle(descriptor: int, block: bytes) -> int:
        if not changed:
            changed.append(put(pair.source, "1.txt", b"after" * 1000, modified=2))
        return writing(descriptor, block)

    with patch("os.write", meddle):
        assert pair.mirror.go_round(FORWARD, thorough=True).pending == 1
    assert contents(pair.target) == {}
    pair.settle(FORWARD)
    assert (pair.target / "1.txt").read_bytes() == place.read_bytes() == b"after" * 1000


def test_what_the_new_primary_wrote_meanwhile_stands_when_the_final_delta_arrives(pair: Pair) -> None:
    put(pair.source, "1.txt", b"old primary's", modified=2_000)
    writing = os.write
    meddled: list[Path] = []

    def meddle(descriptor: int, block: bytes) -> int:
        if not meddled:
            meddled.append(put(pair.target, "1.txt", b"new primary's", modified=3_000))
        return writing(descriptor, block)

    with patch("os.write", meddle):
        assert pair.mirror.go_round(TURN, thorough=True).undone == 1
    pair.settle(TURN)
    assert (pair.target / "1.txt").read_bytes() == b"new primary's"
    pair.settle(BACK)
    assert (pair.source / "1.txt").read_bytes() == b"new primary's"


def test_a_late_write_of_the_old_primary_is_kept_when_it_comes_after_the_turn(pair: Pair) -> None:
    put(pair.source, "1.txt", b"1", modified=1)
    pair.settle(FORWARD)
    pair.settle(TURN)
    put(pair.target, "2.txt", b"2", modified=2)
    put(pair.source, "late.txt", b"late", modified=2)
    pair.settle(BACK)
    assert contents(pair.source) == contents(pair.target) == {"1.txt": b"1", "2.txt": b"2", "late.txt": b"late"}


def test_only_copies_are_removed_when_the_copy_is_given_up(pair: Pair) -> None:
    for name in ("a/1", "a/2", "3"):
        put(pair.source, name, b"x", modified=1)
    pair.settle(FORWARD)
    (pair.target / "a/2").write_bytes(b"altered")
    put(pair.target, "b/theirs", b"never delivered")
    assert pair.mirror.remove_copy(Side.TARGET) == 0
    assert contents(pair.target) == {"b/theirs": b"never delivered"}
    assert not (pair.target / "a").exists()
    assert len(contents(pair.source)) == 3


def test_files_are_compared_anew_when_the_index_is_damaged(pair: Pair, tmp_path: Path) -> None:
    for number in range(5):
        put(pair.source, f"{number}.txt", b"x", modified=1)
    pair.settle(FORWARD)
    inodes = {file.name: file.stat().st_ino for file in pair.target.iterdir()}
    pair.index.__exit__(None, None, None)
    (tmp_path / "index.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    pair.restart()
    assert len(pair.index) == 0
    assert pair.settle(FORWARD).pending == 0
    assert {file.name: file.stat().st_ino for file in pair.target.iterdir()} == inodes


def test_each_difference_is_named_when_shares_differ(pair: Pair) -> None:
    for name in ("same", "changed", "missing"):
        put(pair.source, name, name.encode())
    for name in ("same", "extra"):
        put(pair.target, name, name.encode())
    put(pair.target, "changed", b"CHANGED")
    source, target = pair.shares[Side.SOURCE], pair.shares[Side.TARGET]
    assert differences(source, target, settle=PATIENCE.settle / 20) == (
        FileDifference(path="changed", kind=Kind.CHANGED),
        FileDifference(path="extra", kind=Kind.EXTRA),
        FileDifference(path="missing", kind=Kind.MISSING),
    )


NAMES = st.sampled_from(["1", "2", "a/1", "a/2"])
CHANGES = st.lists(st.tuples(NAMES, st.sampled_from(["write", "delete", "round", "restart"])), max_size=12)


@settings(max_examples=60, deadline=None)
@given(before=CHANGES, after=CHANGES)
def test_both_shares_end_as_the_users_left_them_when_writes_turn_from_one_to_the_other(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    """Users write on the source, then only on the target; the agent runs, dies and comes back whenever."""
    written: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as root, patch.object(delivery, "_TICK_NS", 0):
        pair = Pair(Path(root))
        stamp = 1_000
        for changes, share, direction in ((before, pair.source, FORWARD), (after, pair.target, BACK)):
            for name, change in changes:
                stamp += 1
                if change == "write":
                    written[name] = f"{stamp} {name}".encode() * (stamp - 999)
                    put(share, name, written[name], modified=stamp)
                elif change == "delete" and (share / name).exists():
                    (share / name).unlink()
                    del written[name]
                elif change == "round":
                    pair.mirror.go_round(direction, thorough=False)
                elif change == "restart":
                    pair.restart()
            if direction is FORWARD:
                pair.settle(TURN)
                assert contents(pair.target) == written
        pair.settle(BACK)
        assert contents(pair.source) == contents(pair.target) == written
        pair.index.__exit__(None, None, None)
