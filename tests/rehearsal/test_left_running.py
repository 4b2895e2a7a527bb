"""Nothing that is started is forgotten: not what a signal comes upon, not what it started in turn."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from crossfade.rehearsal import descendants, processes
from crossfade.rehearsal.descendants import Descendants
from crossfade.rehearsal.layout import Layout, lay_out
from crossfade.rehearsal.lock import NobodyConducts, end_with_conductor, one_at_a_time
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.program import Program
from tests.rehearsal.run import Home, home_below
from tests.waiting import wait_for

pytestmark = pytest.mark.timeout(600)

_DRAWS = 15
_START_S = 3.0  # what the start of the small rehearsal takes where it takes longest
_DEADLINE_S = 180.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    with home_below(tmp_path) as made:
        monkeypatch.setenv("CROSSFADE_HOME", str(made.folder))
        yield made


@pytest.fixture
def layout(home: Home) -> Layout:
    del home  # it says where
    return lay_out("small-1", ("app01",), through_wan=False, speed=1.0, seed=1)


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=_DEADLINE_S, check=False
    )


def begin_orphan(tmp_path: Path, *, ignoring: str = "") -> int:
    """The number of a `sleep` whose parent has ended; before it began, the signals `ignoring` were turned off."""
    noted = tmp_path / "orphan"
    trap = f"trap '' {ignoring}; " if ignoring else ""
    subprocess.run(["sh", "-c", f"{trap}sleep 100 & echo $! > {noted}"], check=True)
    return int(noted.read_text(encoding="utf-8"))


_INTERRUPTED_IN_A_START = """
import os, signal, sys
from pathlib import Path
from crossfade.rehearsal import program
from crossfade.rehearsal.interruption import interrupted_once
from crossfade.rehearsal.processes import Launch, start

def interrupted(launch):
    process = start(launch)
    os.kill(os.getpid(), signal.SIGTERM)  # after the fork, before anybody could note it
    return process

program.start = interrupted
part = program.Program()
with interrupted_once() as begin_to_end:
    try:
        part.start(Launch(argv=["sleep", "100"], log=Path(sys.argv[1])))
        print("went on")
    finally:
        begin_to_end()
        print(part.alive)
        part.stop(timeout=5)
"""


def test_a_program_is_known_when_a_signal_comes_upon_its_start(tmp_path: Path) -> None:
    ran = run(_INTERRUPTED_IN_A_START, str(tmp_path / "log"))
    assert (ran.returncode, ran.stdout, ran.stderr) == (143, "True\n", "")


_TWO_WITHIN = """
import os, signal
from crossfade.rehearsal.interruption import interrupted_once, undisturbed
with interrupted_once():
    with undisturbed():
        with undisturbed():
            os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        print("done whole")
    print("went on")
"""


def test_the_first_signal_is_obeyed_at_the_end_when_several_come_undisturbed() -> None:
    ran = run(_TWO_WITHIN)
    assert (ran.returncode, ran.stdout, ran.stderr) == (129, "done whole\n", "")


def test_a_program_ends_when_the_kernel_tells_it_before_it_runs() -> None:
    """Its starter dies within the moment in which the child has the starter's handlers, but nothing that runs them."""
    asked = processes._orphan_signal(signal.SIGTERM, os.getpid())

    def orphaned() -> None:
        asked()
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        child = subprocess.Popen(["sleep", "100"], preexec_fn=orphaned)  # noqa: PLW1509 - it is what is tested
    finally:
        signal.signal(signal.SIGTERM, before)
    assert child.wait(_DEADLINE_S) == -signal.SIGTERM


def test_its_own_children_end_too_when_a_program_is_ended_by_force(tmp_path: Path) -> None:
    noted = tmp_path / "child"
    stubborn = f"trap '' TERM; sleep 100 & echo $! > {noted}.new; mv {noted}.new {noted}; wait"
    program = Program()
    descendants = Descendants()
    program.start(Launch(argv=["sh", "-c", stubborn], log=tmp_path / "log"))
    wait_for(noted.exists)
    program.stop(timeout=0.1)
    child = psutil.Process(int(noted.read_text(encoding="utf-8")))
    assert child.wait(_DEADLINE_S) == -signal.SIGKILL
    descendants.end()


@pytest.mark.parametrize("ignoring", ["", "TERM"])
def test_a_process_is_ended_when_whoever_started_it_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignoring: str
) -> None:
    monkeypatch.setattr(descendants, "_POLITE_S", 0.2)
    mine = Descendants()
    orphan = begin_orphan(tmp_path, ignoring=ignoring)
    assert psutil.Process(orphan).ppid() == os.getpid()
    mine.end()
    assert not psutil.pid_exists(orphan)


def test_what_was_started_before_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "100"]) as another:
        Descendants().end()
        assert another.poll() is None
        another.kill()


_ENGINE = """
import sys, time
from crossfade.rehearsal.layout import read_layout
from crossfade.rehearsal.lock import end_with_conductor
end_with_conductor(read_layout(sys.argv[1]))
print("works", flush=True)
time.sleep(100)
"""


def test_an_engine_ends_when_the_conductor_has_although_another_started_it(layout: Layout) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ENGINE, layout.migration], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as engine:
        try:
            with one_at_a_time(layout):
                while engine.poll() is None and not (engine.stdout and engine.stdout.readline()):
                    pass
                assert engine.poll() is None
            assert engine.wait(_DEADLINE_S) == -signal.SIGTERM
        finally:
            engine.kill()


def test_an_engine_does_not_begin_when_nobody_conducts(home: Home, layout: Layout) -> None:
    with pytest.raises(NobodyConducts) as alone:
        end_with_conductor(layout)
    assert "crossfade resume small-1" in alone.value.remedy
    shutil.copy(Path(__file__).parents[1] / "data" / "small.yaml", layout.file)
    ran = home.run("engine", str(layout.root))
    assert ran.code == 1
    assert "carried out by nobody" in ran.said
    assert "Traceback" not in ran.said


@pytest.mark.rehearsal
@pytest.mark.timeout(1800)  # a minute on a quiet machine
def test_nothing_is_left_when_told_to_end_at_any_moment_of_the_start(home: Home) -> None:
    """At drawn moments of new starts and of resumes; not even something that ends by itself a moment later."""
    draw = random.Random(1)  # the same orders each time; at which moment they come upon what, the computer says
    begun = ""
    for number in range(_DRAWS):
        if draw.random() < 0.6:
            shutil.rmtree(home.folder, ignore_errors=True)
            begun = ""
        process = home.begin("resume", begun, "--report", str(home.reports)) if begun else home.begin_rehearsal()
        begun = home.the_only_id()
        assert process.stderr is not None
        while "starting databases" not in (line := process.stderr.readline()):
            assert line, "it ended before it started anything"
        by = draw.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        moment = draw.uniform(0, _START_S)
        time.sleep(moment)  # the moment is what is tested
        process.send_signal(by)
        ended = home.finish(process)
        drawn = f"draw {number}: {by.name} after {moment:.4f} s\n{ended.said}"
        assert not home.left(), drawn
        assert ended.code == 128 + by, drawn
        assert "Everything that was started has ended" in ended.said, drawn
        assert "Traceback" not in ended.said, drawn
