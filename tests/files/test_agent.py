"""The real agent process: killed, silent, told nonsense, and busy."""

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Self

import pytest

from crossfade.files.client import FileAgentClient, Patience
from crossfade.files.errors import AgentSilent, OrderNotWritten, OrderUnreadable
from crossfade.model.seen import FileSync
from crossfade.model.terms import NoData, Side
from tests.files.shares import Shares, contents, eventually, put

pytestmark = pytest.mark.parts


class Writer:
    """Writes documents on a share without pause until ended, as the application does; runs while tests look on."""

    def __init__(self, write: Callable[[int], object]) -> None:
        self._write = write
        self._ended = Event()
        self.written = 0
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.002):
            self._write(self.written)
            self.written += 1


def errors(agent: "subprocess.Popen[bytes]") -> str:
    return agent.communicate(timeout=180)[1].decode()


def test_it_goes_on_where_it_was_when_killed_while_copying(shares: Shares) -> None:
    for number in range(3000):
        put(shares.source, f"2024/{number % 12:02}/{number}.txt", f"statement {number}".encode() * 20, modified=1)
    shares.client().follow(Side.SOURCE)
    assert shares.start_agent(doomed=True).wait(180) == -signal.SIGKILL
    before = {file: file.stat().st_ino for file in shares.target.rglob("*.txt")}
    assert len(before) == 300
    shares.start_agent()
    eventually(lambda: shares.in_step(Side.SOURCE))
    assert all(file.stat().st_ino == inode for file, inode in before.items())
    assert not list(shares.target.rglob(".crossfade-*"))


def test_the_order_is_carried_out_when_given_while_no_agent_runs(shares: Shares) -> None:
    put(shares.source, "1.txt", b"one")
    shares.client().follow(Side.SOURCE)
    assert isinstance(shares.client().state(), NoData)
    shares.start_agent()
    eventually(lambda: shares.in_step(Side.SOURCE))


def test_no_document_is_lost_when_writes_turn_while_thousands_are_written(shares: Shares) -> None:
    """Writers never pause; the agent is killed in the middle of the turn; late writes come to the old primary."""
    shares.start_agent()
    client = shares.client()
    client.follow(Side.SOURCE)
    with Writer(lambda n: put(shares.source, f"s/{n % 7}/{n}.txt", b"s%d" % n)) as old:
        eventually(lambda: old.written > 300)
        with Writer(lambda n: put(shares.target, f"s/{n % 7}/t{n}.txt", b"t%d" % n)) as new:
            client.follow(Side.TARGET)
            eventually(lambda: new.written > 50)
            shares.kill_agent()
            shares.start_agent()
            eventually(lambda: new.written > 300)
    eventually(lambda: shares.in_step(Side.TARGET))
    assert len(contents(shares.source)) == old.written + new.written
    assert client.verify(Side.TARGET) == ()


def test_a_turn_waits_for_no_interval_when_a_file_was_written_during_its_round(shares: Shares) -> None:
    shares.start_agent(interval_seconds=3600)
    client = shares.client()
    client.follow(Side.SOURCE)
    with Writer(lambda _: put(shares.source, "hot.txt", b"%d" % time.time_ns())) as hot:
        eventually(lambda: hot.written > 100)
        client.follow(Side.TARGET)
        eventually(lambda: isinstance(state := client.state(), FileSync) and state.pending)
    eventually(lambda: shares.in_step(Side.TARGET))


def test_it_keeps_in_step_when_never_a_moment_passes_without_a_write(shares: Shares) -> None:
    shares.start_agent()
    shares.client().follow(Side.SOURCE)
    lags: list[timedelta] = []

    def seen() -> bool:
        state = shares.client().state()
        if isinstance(state, FileSync) and state.lag is not None and state.files > 200:
            lags.append(state.lag)
        return len(lags) > 20

    with Writer(lambda n: put(shares.source, f"{n}.txt", b"%d" % n)):
        eventually(seen)
    assert sorted(lags)[len(lags) // 2] < timedelta(seconds=60)  # it would grow without end if it starved


def test_a_change_in_place_is_delivered_when_the_inode_stayed(shares: Shares) -> None:
    place = put(shares.source, "1.txt", b"before")
    shares.start_agent()
    shares.client().follow(Side.SOURCE)
    eventually(lambda: shares.in_step(Side.SOURCE))
    place.write_bytes(b"after")
    eventually(lambda: (shares.target / "1.txt").read_bytes() == b"after")


def test_nothing_is_known_when_the_agent_is_silent(shares: Shares) -> None:
    shares.start_agent()
    shares.client().follow(Side.SOURCE)
    eventually(lambda: isinstance(shares.client().state(), FileSync))
    shares.kill_agent()
    later = FileAgentClient(
        shares.folder,
        source=shares.source,
        target=shares.target,
        now=lambda: datetime.now(UTC) + timedelta(hours=1),
    )
    state = later.state()
    assert isinstance(state, NoData)
    assert "silent" in state.reason


def test_stopping_is_not_claimed_when_no_agent_confirms_it(shares: Shares) -> None:
    patience = Patience(confirm=timedelta(seconds=0.1))
    client = FileAgentClient(shares.folder, source=shares.source, target=shares.target, patience=patience)
    client.follow(Side.SOURCE)
    with pytest.raises(AgentSilent) as silent:
        client.stop()
    assert silent.value.retryable
    shares.start_agent()
    shares.client().stop()


def test_faults_are_told_and_mended_when_somebody_helps(shares: Shares) -> None:
    (shares.source / "link").symlink_to("/etc/hostname")
    shares.start_agent()
    shares.client().follow(Side.SOURCE)
    eventually(lambda: [fault.path for fault in shares.client().faults()] == ["link"])
    state = shares.client().state()
    assert isinstance(state, FileSync)
    assert state.pending == 1
    (shares.source / "link").unlink()
    eventually(lambda: shares.in_step(Side.SOURCE))


def test_it_waits_for_the_share_when_it_is_not_mounted(shares: Shares) -> None:
    shares.target.rmdir()
    put(shares.source, "1.txt", b"one")
    shares.start_agent()
    shares.client().follow(Side.SOURCE)
    eventually(lambda: any(fault.path == str(shares.target) for fault in shares.client().faults()))
    shares.target.mkdir()
    eventually(lambda: shares.in_step(Side.SOURCE))


def test_it_refuses_to_start_when_another_works_in_the_same_folder(shares: Shares) -> None:
    shares.start_agent()
    shares.client().follow(Side.SOURCE)
    eventually(lambda: isinstance(shares.client().state(), FileSync))
    second = shares.start_agent()
    assert "works in" in errors(second)
    assert second.returncode == 1


def test_it_ends_without_a_traceback_when_its_order_is_damaged(shares: Shares) -> None:
    shares.folder.mkdir()
    (shares.folder / "wanted.json").write_text('{"turn": "one"}')
    agent = shares.start_agent()
    said = errors(agent)
    assert agent.returncode == 1
    assert "wanted.json is damaged" in said
    assert "Traceback" not in said
    assert isinstance(shares.client().state(), NoData)
    with pytest.raises(OrderUnreadable):
        shares.client().follow(Side.SOURCE)


def test_it_ends_at_once_and_clean_when_asked_to(shares: Shares) -> None:
    shares.start_agent(interval_seconds=3600)  # which it does not wait for
    shares.client().follow(Side.SOURCE)
    eventually(lambda: isinstance(shares.client().state(), FileSync))
    shares.agents[-1].send_signal(signal.SIGTERM)
    assert errors(shares.agents[-1]) == ""
    assert shares.agents[-1].returncode == 0


def test_the_targets_writes_are_saved_when_reverted_after_the_index_was_lost(shares: Shares) -> None:
    shares.start_agent()
    client = shares.client()
    client.follow(Side.SOURCE)
    client.follow(Side.TARGET)
    put(shares.target, "1.txt", b"one")
    eventually(lambda: shares.in_step(Side.TARGET))
    shares.kill_agent()
    put(shares.target, "2.txt", b"two")
    for part in shares.folder.glob("index.sqlite*"):
        part.unlink()
    client.follow(Side.SOURCE)
    shares.start_agent()
    for _ in range(2):
        client.revert()
        assert contents(shares.source) == {"1.txt": b"one", "2.txt": b"two"}
        assert contents(shares.target) == {}


def test_the_copy_stays_removed_when_the_agent_is_started_anew(shares: Shares) -> None:
    put(shares.source, "1.txt", b"one")
    agent = shares.start_agent()
    client = shares.client()
    client.follow(Side.TARGET)
    client.follow(Side.SOURCE)
    eventually(lambda: shares.in_step(Side.SOURCE))
    client.revert()
    agent.kill()
    agent.wait()
    said = shares.folder / "status.json"
    before = said.stat().st_mtime_ns
    shares.start_agent()
    eventually(lambda: said.stat().st_mtime_ns != before)
    client.revert()
    assert contents(shares.target) == {}
    assert contents(shares.source) == {"1.txt": b"one"}


def test_the_order_is_refused_with_a_remedy_when_it_cannot_be_written(
    shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OrderNotWritten, match="No space left") as refused:
        shares.client().follow(Side.SOURCE)
    assert refused.value.retryable
    monkeypatch.undo()
    shares.client().follow(Side.SOURCE)
