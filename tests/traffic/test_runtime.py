import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.model.seen import Shares
from crossfade.traffic import runtime
from tests.traffic.running import without_room


@given(canary=st.integers(0, 100_000), mirror=st.integers(0, 100_000))
def test_shares_are_the_same_when_written_and_parsed(canary: int, mirror: int) -> None:
    shares = Shares(canary_percent=canary * 100 / 100_000, mirror_percent=mirror * 100 / 100_000)
    assert runtime.parse(runtime.entries(shares)) == shares


@given(percent=st.floats(0, 100))
def test_weights_sum_to_the_total_when_a_percent_is_rounded(percent: float) -> None:
    entries = runtime.entries(Shares(canary_percent=percent))
    assert int(entries["traffic.weight.modern"]) + int(entries["traffic.weight.legacy"]) == runtime.TOTAL_WEIGHT


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("traffic.weight.legacy", "100", "do not sum"),
        ("traffic.weight.modern", "-1", "do not sum"),
        ("traffic.weight.modern", "", "a value that is none"),
        ("traffic.weight.modern", None, "no value for"),
        ("traffic.mirror", "5", "a value that is none"),
        ("traffic.mirror", json.dumps({"numerator": 5, "denominator": "HUNDRED"}), "a mirror of"),
        ("traffic.mirror", json.dumps({"numerator": 2_000_000, "denominator": "MILLION"}), "a mirror of"),
    ],
)
def test_shares_are_refused_when_a_value_is_wrong(key: str, value: str | None, complaint: str) -> None:
    entries = {**runtime.entries(Shares(canary_percent=20)), key: value}
    with pytest.raises(ValueError, match=complaint):
        runtime.parse({k: v for k, v in entries.items() if v is not None})


def test_only_the_newest_version_lies_on_disk_when_shares_were_written_often(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    for percent in range(10):
        runtime.forget(runtime.write(tmp_path, Shares(canary_percent=percent)).replaced)
    assert runtime.read(tmp_path) == Shares(canary_percent=9)
    assert len(list(tmp_path.iterdir())) == 3  # the link, what it points to, and the way back


def test_nobody_is_modern_when_the_folder_is_prepared(tmp_path: Path) -> None:
    runtime.prepare(tmp_path / "new")
    assert runtime.read(tmp_path / "new") == Shares(canary_percent=0)


def test_shares_are_kept_when_the_folder_is_prepared_again(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    runtime.write(tmp_path, Shares(canary_percent=7))
    runtime.prepare(tmp_path)
    assert runtime.read(tmp_path) == Shares(canary_percent=7)


def test_nothing_changes_when_there_is_no_room_for_a_share(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    runtime.write(tmp_path, Shares(canary_percent=50))
    before = sorted(tmp_path.iterdir())
    with without_room(), pytest.raises(OSError, match="too large"):
        runtime.write(tmp_path, Shares(canary_percent=60))
    assert runtime.read(tmp_path) == Shares(canary_percent=50)
    assert sorted(tmp_path.iterdir()) == before


def test_everybody_goes_back_when_there_is_no_room(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    runtime.write(tmp_path, Shares(canary_percent=50, mirror_percent=5))
    with without_room():
        runtime.forget(runtime.write(tmp_path, Shares(canary_percent=0, mirror_percent=5)).replaced)
        runtime.forget(runtime.write(tmp_path, Shares(canary_percent=0)).replaced)
    assert runtime.read(tmp_path) == Shares(canary_percent=0)


def test_other_folders_stay_when_the_link_pointed_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "runtime"
    runtime.prepare(folder)
    (folder / runtime.LINK).unlink()
    (folder / runtime.LINK).symlink_to(elsewhere)
    runtime.forget(runtime.write(folder, Shares(canary_percent=1)).replaced)
    assert elsewhere.is_dir()
    assert runtime.read(folder) == Shares(canary_percent=1)


def test_shares_are_never_a_mixture_when_they_are_read_while_written(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    ended = threading.Event()

    def write_often() -> None:
        while not ended.is_set():
            for percent in (10, 90):
                runtime.forget(runtime.write(tmp_path, Shares(canary_percent=percent)).replaced)

    thread = threading.Thread(target=write_often)
    thread.start()
    try:
        seen = {runtime.read(tmp_path).canary_percent for _ in range(500)}
    finally:
        ended.set()
        thread.join()
    assert seen <= {0, 10, 90}
