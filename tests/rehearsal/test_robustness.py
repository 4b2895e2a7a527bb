"""What a user can cause: each a clear message and a remedy, nothing begun, nothing lost, nothing left running."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossfade.journal.chain import JournalDamaged
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.events import EngineStarted
from crossfade.rehearsal import parts, processes, room
from crossfade.rehearsal.interruption import Interrupted, interrupted_once
from crossfade.rehearsal.layout import Layout, lay_out, take_along
from crossfade.rehearsal.part import Part, PartNotReady
from crossfade.rehearsal.parts import PartMissing
from crossfade.rehearsal.prerequisites import require, require_ports
from crossfade.rehearsal.processes import Launch, NoPortsLeft, PortBusy, free_ports
from crossfade.rehearsal.room import NoRoom, require_room
from tests.rehearsal.run import SMALL, Home, Ran, at_share, home_below, in_canary
from tests.waiting import wait_for

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Nothing may be running afterwards."""
    with home_below(tmp_path) as made:
        monkeypatch.setenv("CROSSFADE_HOME", str(made.folder))
        yield made


@pytest.fixture
def interrupted(home: Home) -> Layout:
    """A rehearsal that was begun and interrupted, with a journal of three entries."""
    layout = lay_out("small-1234", ("app01",), through_wan=False, speed=1.0, seed=1)
    take_along(layout, SMALL)
    journal = SqliteJournal(layout.journal)
    for position in range(3):
        journal.append([EngineStarted()], expected=position, at=datetime.now(UTC), by="engine")
    journal.close()
    return layout


def assert_refused(ran: Ran, home: Home, *, code: int = 1) -> None:
    """Said why and what to do; nothing was begun."""
    assert ran.code == code, ran.said
    assert "Traceback" not in ran.said
    assert "→" in ran.said or code == 2
    assert "starting databases" not in ran.said
    assert not home.left()


def test_nothing_is_begun_when_the_file_has_faults(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "migration.yaml"
    file.write_text(
        SMALL.read_text(encoding="utf-8").replace("users: 500", "users: none\n  colour: red"), encoding="utf-8"
    )
    ran = home.rehearse(file=file)
    assert_refused(ran, home, code=2)
    assert "rehearsal.users" in ran.said
    assert "rehearsal.colour" in ran.said
    assert not home.folder.exists()


def test_nothing_is_begun_when_a_fault_is_unknown(home: Home) -> None:
    assert_refused(home.rehearse("--fault", "gremlins@canary"), home, code=2)
    assert not home.folder.exists()


def test_nothing_is_begun_when_the_report_has_no_place(home: Home) -> None:
    home.reports.write_text("a file", encoding="utf-8")
    ran = home.rehearse()
    assert_refused(ran, home)
    assert "--report" in ran.said
    assert not home.folder.exists()


def test_nothing_is_begun_when_the_home_cannot_be_made(home: Home) -> None:
    home.folder.write_text("a file", encoding="utf-8")
    ran = home.rehearse()
    assert_refused(ran, home)
    assert "CROSSFADE_HOME" in ran.said


def test_make_setup_is_named_when_a_program_is_missing(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PROJECT", tmp_path)
    with pytest.raises(PartMissing, match="PostgreSQL 13") as missing:
        require(home.reports, home.folder, 1)
    assert "make setup" in missing.value.remedy
    assert not home.reports.exists()


def test_make_setup_is_named_when_the_router_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(PartMissing, match="Envoy") as missing:
        parts.envoy()
    assert "make setup" in missing.value.remedy


def test_the_room_that_is_missing_is_told_when_the_disk_is_nearly_full(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 9 * 10**8, 10**8))
    with pytest.raises(NoRoom, match="96 MB left") as full:
        require(home.reports, home.folder, room.needed_bytes(100_000))
    assert full.value.needed > 300 * 1024 * 1024
    assert "more" in full.value.remedy
    require_room(home.folder, 10**8)


def overwrite(journal: Path, old: bytes, new: bytes) -> None:
    content = journal.read_bytes()
    assert old in content
    journal.write_bytes(content.replace(old, new))


HARMS: dict[str, Callable[[Path], object]] = {
    "emptied": lambda journal: os.truncate(journal, 0),
    "cut to a page": lambda journal: os.truncate(journal, 4096),
    "cut within a page": lambda journal: os.truncate(journal, journal.stat().st_size // 2 + 100),
    "replaced": lambda journal: journal.write_bytes(b"no database at all"),
    "altered": lambda journal: overwrite(journal, b"engine_started", b"engine_stepped"),
    "no text": lambda journal: overwrite(journal, b"engine_started", b"engine\xff\xfestarted"[:14]),
    "zeroed": lambda journal: overwrite(journal, journal.read_bytes()[4096:], bytes(journal.stat().st_size - 4096)),
}


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_damage_is_found_when_a_journal_is(
    interrupted: Layout, harm: Callable[[Path], object], read_only: bool
) -> None:
    harm(interrupted.journal)
    with pytest.raises(JournalDamaged, match="does not hold"):
        SqliteJournal(interrupted.journal, must_exist=True, read_only=read_only).read()


def test_nobody_goes_on_when_the_journal_is_damaged(home: Home, interrupted: Layout) -> None:
    HARMS["altered"](interrupted.journal)
    for word, *how in (("resume",), ("status",), ("hold", "--reason", "x")):
        ran = home.run(word, interrupted.migration, *how)
        assert_refused(ran, home)
        assert "does not hold at entry 1" in ran.said
    audited = home.run("audit", str(interrupted.journal), "--json")
    assert (audited.code, audited.result["intact"], audited.result["broken_at"]) == (10, False, 1)
    listed = home.run("status", "--json")
    assert "does not hold" in listed.result["migrations"][interrupted.migration]["problem"]


def test_nobody_goes_on_when_the_journals_log_was_removed(home: Home, interrupted: Layout) -> None:
    killed = (
        "import os, sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from crossfade.journal.sqlite import SqliteJournal\nfrom crossfade.model.events import EngineStarted\n"
        "journal = SqliteJournal(Path(sys.argv[1]))\n"
        "journal.append([EngineStarted()], expected=3, at=datetime.now(UTC), by='engine')\nos._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", killed, str(interrupted.journal)], check=True)
    log = interrupted.journal.with_name("journal.sqlite-wal")
    assert log.stat().st_size
    log.unlink()
    ran = home.run("resume", interrupted.migration)
    assert_refused(ran, home)
    assert "there were 4 entries" in ran.said
    assert home.run("audit", str(interrupted.journal), "--json").result["broken_at"] == 4


def test_all_ports_are_named_when_several_are_taken(interrupted: Layout) -> None:
    router, launcher = ("127.0.0.1", interrupted.ports.router), ("127.0.0.1", interrupted.ports.source_launcher)
    with socket.create_server(router), socket.create_server(launcher), pytest.raises(PortBusy) as busy:
        require_ports(interrupted)
    assert set(busy.value.ports) == {interrupted.ports.router, interrupted.ports.source_launcher}


def test_two_get_different_ports_when_they_choose_at_the_same_time() -> None:
    asking = "from crossfade.rehearsal.processes import free_ports; print(free_ports(45), flush=True); input()"
    askers = [
        subprocess.Popen([sys.executable, "-c", asking], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        chosen = [asker.stdout.readline() for asker in askers if asker.stdout]
    finally:
        for asker in askers:
            asker.communicate("\n")
    ports = [port for line in chosen for port in line.strip("[]\n").split(", ")]
    assert len(ports) == len(set(ports)) == 4 * 45


def test_an_interrupted_rehearsals_ports_are_left_to_it_when_another_is_begun(interrupted: Layout) -> None:
    another = lay_out("small-5678", ("app01",), through_wan=False, speed=1.0, seed=1)
    assert not another.ports.everyone() & interrupted.ports.everyone()


def test_it_is_said_when_there_are_no_ports_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_hold", lambda _: False)
    with pytest.raises(NoPortsLeft):
        free_ports(1)


def test_a_second_signal_changes_nothing_when_the_first_is_being_obeyed() -> None:
    script = (
        "import os, signal\nfrom crossfade.rehearsal.interruption import interrupted_once\n"
        "with interrupted_once() as begin_to_end:\n    try:\n        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    finally:\n        begin_to_end()\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n        print('ended in order', flush=True)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (143, "ended in order\n", "")


def test_the_signal_is_obeyed_later_when_its_exception_is_lost() -> None:
    script = (
        "import os, signal, time\nfrom crossfade.rehearsal import interruption\n"
        "from crossfade.rehearsal.interruption import interrupted_once\n"
        "interruption._AGAIN_S = 3.0\n"
        "class Destroyed:\n    def __del__(self):\n        os.kill(os.getpid(), signal.SIGTERM)\n        len('')\n"
        "with interrupted_once():\n    Destroyed()\n    print('goes on', flush=True)\n    time.sleep(60)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert (ran.returncode, ran.stdout) == (143, "goes on\n"), ran.stderr
    assert "Traceback" not in ran.stderr


def test_signals_mean_what_they_meant_when_nobody_interrupted() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interrupted_once():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert issubclass(Interrupted, SystemExit)


def test_a_part_is_given_up_when_it_does_nothing_but_die(tmp_path: Path) -> None:
    log = tmp_path / "log"
    part = Part("sickly", lambda: Launch(argv=["sh", "-c", "echo it hurts; exit 3"], log=log), lambda: False)
    with pytest.raises(PartNotReady, match="it hurts") as given_up:
        tend_for(part, seconds=180)
    assert "times within" in str(given_up.value)


def tend_for(part: Part, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        part.tend()


def test_it_is_said_when_a_part_cannot_be_started(tmp_path: Path) -> None:
    part = Part("absent", lambda: Launch(argv=["/does/not/exist"], log=tmp_path / "log"), lambda: False)
    with pytest.raises(PartNotReady, match="could not be started"):
        part.start()


def test_a_program_ends_when_its_starter_died_before_it_asked_the_kernel(tmp_path: Path) -> None:
    asked = processes._orphan_signal(signal.SIGTERM, os.getpid() + 1)  # whoever that is, it is not the child's parent
    child = subprocess.Popen(["touch", str(tmp_path / "begun")], preexec_fn=asked)  # noqa: PLW1509 - it is what is tested
    assert child.wait(180) == 1
    assert not (tmp_path / "begun").exists()


@pytest.mark.rehearsal
def test_it_goes_on_from_where_it_was_when_told_to_end_again_and_again(home: Home) -> None:
    """SIGTERM while the databases are made, and again a moment later, SIGKILL in canary; then to the end."""
    process = home.begin_rehearsal()
    wait_for(lambda: any(home.folder.glob("*/source/postgres/initdb.log")))
    process.send_signal(signal.SIGTERM)
    first = home.finish(process)
    name = home.the_only_id()
    assert first.code == 128 + signal.SIGTERM
    assert f"crossfade resume {name}" in first.said
    words = ("resume", name, "--json", "--report", str(home.reports))
    process = home.begin(*words)
    wait_for(lambda: any(home.folder.glob("*/target/postgres/crossfade.created")))
    process.send_signal(signal.SIGTERM)
    second = home.finish(process)
    assert second.code == 128 + signal.SIGTERM, second.said
    assert "Traceback" not in first.said + second.said
    assert not home.left()
    process = home.begin(*words)
    home.wait_for(at_share(20), process)
    process.kill()
    home.finish(process)
    last = home.run(*words)  # at once: what was killed gets the time to end
    assert not home.await_orphans()
    assert (last.code, last.result["outcome"]) == (0, "completed"), last.said
    assert (last.result["lost_writes"], last.result["duplicate_writes"]) == (0, 0)


@pytest.mark.rehearsal
def test_a_resume_writes_the_report_when_only_that_was_missing(home: Home, tmp_path: Path) -> None:
    """Its folder was taken away meanwhile. What has ended is counted and reported, and nothing is added to it."""
    process = home.begin_rehearsal()
    home.wait_for(in_canary, process)
    home.reports.rmdir()
    home.reports.write_text("a file", encoding="utf-8")
    first = home.finish(process)
    assert first.code == 1, first.said
    assert "--report" in first.said
    name = home.the_only_id()
    events = home.run("audit", str(home.folder / name / "journal.sqlite"), "--json").result["events"]
    again = home.run("resume", name, "--json", "--report", str(tmp_path / "elsewhere"))
    assert (again.code, again.result["outcome"], again.result["reason"]) == (0, "completed", "finalized"), again.said
    assert (again.result["lost_writes"], again.result["duplicate_writes"]) == (0, 0)
    assert home.run("audit", again.result["journal"], "--json").result["events"] == events
    assert Path(again.result["report"]).exists()
