"""The engine dies between any two things that it does to the world; a new one goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crossfade.model.seen import ServerState
from crossfade.servers.errors import ServersBusy
from crossfade.servers.record import StateRecord
from tests.servers.sites import IMPATIENT, Sites, two_sites

FORWARD = ("replicate", "launch_test", "end_test", "launch_cutover", "finalize", "retire_source")
NAMES = ("app-01", "app-02")


class Killed(BaseException):
    """Nothing may catch this, as nothing catches SIGKILL."""


class Countdown:
    def __init__(self, points: int) -> None:
        self.left = points

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


def carry_out(sites: Sites, verbs: tuple[str, ...], countdown: Countdown, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Every verb in turn, dying once the countdown ends; the verb that died is done again by a new object."""
    fsync = os.fsync

    def counted(descriptor: int) -> None:
        countdown()
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    sites.target.at_each_point = sites.source.at_each_point = countdown
    died = False
    for verb in verbs:
        try:
            getattr(sites.servers(), verb)()
        except Killed:
            died = True
            getattr(sites.servers(), verb)()
    monkeypatch.setattr(os, "fsync", fsync)
    sites.target.at_each_point = sites.source.at_each_point = lambda: None
    return died


def all_points(tmp_path: Path, run: Callable[[Path, int], bool]) -> int:
    point = 1
    while run(tmp_path / str(point), point):
        point += 1
    return point - 1


def test_it_ends_the_same_when_killed_at_any_point_of_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(root: Path, point: int) -> bool:
        with two_sites(root, NAMES) as sites:
            died = carry_out(sites, FORWARD, Countdown(point), monkeypatch)
            statuses = sites.servers().states()
            assert isinstance(statuses, tuple)
            assert {(s.state, s.instance_running) for s in statuses} == {(ServerState.DISCONNECTED, True)}
            assert sorted(sites.target.started) == ["aws-app-01", "aws-app-02"]
            for name in NAMES:
                assert sorted(place.name for place in sites.twin(name).iterdir()) == [
                    "manifest.json",
                    "release",
                    "releases",
                    "settings.json",
                ]
                assert (sites.twin(name) / "release" / "app.py").read_text() == "version 1\n"
            return died

    assert all_points(tmp_path, run) > 40


def test_nothing_is_left_when_killed_at_any_point_of_the_revert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(root: Path, point: int) -> bool:
        with two_sites(root, NAMES) as sites:
            for verb in FORWARD[:4]:
                getattr(sites.servers(), verb)()
            died = carry_out(sites, ("revert",), Countdown(point), monkeypatch)
            assert not sites.target.started
            assert list(sites.places.target_servers.iterdir()) == []
            return died

    assert all_points(tmp_path, run) > 4


REPLICATE = """
import os, signal, sys
from pathlib import Path
from crossfade.servers.copied import CopiedServers, Launchers, Places
from crossfade.servers.twin import Twin
from tests.servers.sites import LocalLauncher
root = Path(sys.argv[1])
begun = set()

def count(event, arguments):
    if event == "open" and "incoming-" in str(arguments[0]) and "module_" in str(arguments[0]):
        begun.add(arguments[0])
        if len(begun) > 60:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
places = Places(source_servers=root / "source/servers", target_servers=root / "target/servers",
                states=root / "servers.json")
twins = [Twin(legacy=f"app-0{n}", name=f"aws-app-0{n}", port=1, test_port=2) for n in (1, 2)]
CopiedServers(twins, places, Launchers(source=LocalLauncher(), target=LocalLauncher())).replicate()
"""


def test_files_already_copied_are_taken_over_when_the_process_was_killed_while_copying(tmp_path: Path) -> None:
    with two_sites(tmp_path, NAMES) as sites:
        for place in range(400):
            (sites.release("app-01") / f"module_{place:03}.py").write_bytes(os.urandom(20_000))
        argv = [sys.executable, "-c", REPLICATE, str(tmp_path)]
        child = subprocess.run(argv, cwd=Path(__file__).parents[2], check=False, timeout=180)
        assert child.returncode == -signal.SIGKILL
        inodes = {file.name: file.stat().st_ino for file in sites.twin("app-01").glob("releases/*/module_*")}
        assert 50 <= len(inodes) < 400
        sites.servers().replicate()
        release = sites.twin("app-01") / "release"
        kept = [name for name, inode in inodes.items() if (release / name).stat().st_ino == inode]
        assert len(kept) >= len(inodes) - 1  # the last may have been half written
        for file in sites.release("app-01").glob("*.py"):
            assert (release / file.name).read_bytes() == file.read_bytes()


def test_a_second_engine_is_refused_when_one_is_changing_servers(sites: Sites) -> None:
    other = StateRecord(sites.places.states, tuple(twin.legacy for twin in sites.twins))
    sites.readiness = IMPATIENT
    with other.alone(IMPATIENT.patience), pytest.raises(ServersBusy):
        sites.servers().replicate()
    sites.servers().replicate()
