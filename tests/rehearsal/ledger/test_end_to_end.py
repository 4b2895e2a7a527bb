"""Users, servers, databases: nothing that was acknowledged is lost or doubled, whatever moves or dies meanwhile."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from crossfade.rehearsal.ledger.release.settings import Arm, Side
from crossfade.rehearsal.processes import Launch, start, stop
from crossfade.rehearsal.users.audit import LedgerAudit, audit
from crossfade.rehearsal.users.record import Record, read_acknowledged, read_record
from tests.rehearsal.ledger.conftest import Center, copy_rows, fence, open_writes
from tests.waiting import wait_for

pytestmark = pytest.mark.parts


@dataclass
class Busy:
    """Users at work, with their notes in `out`."""

    out: Path
    process: subprocess.Popen[bytes]

    @property
    def acknowledged(self) -> int:
        return len(read_acknowledged(self.out)) if (self.out / "acknowledged.jsonl").exists() else 0

    def wait_for(self, more: int) -> None:
        wanted = self.acknowledged + more
        wait_for(lambda: self.acknowledged >= wanted)

    def end(self) -> tuple[Record, dict[str, int]]:
        stop(self.process, timeout=120)
        assert self.process.returncode == 0
        return read_record(self.out), json.loads((self.out / "summary.json").read_text())


@contextmanager
def users(center: Center, port: int, rate: int = 100) -> Iterator[Busy]:
    out = center.folder / "users"
    argv = [
        sys.executable,
        "-m",
        "crossfade.rehearsal.users",
        "--router",
        f"http://127.0.0.1:{port}",
        "--out",
        str(out),
    ]
    argv += ["--rate", str(rate), "--statements", "5", "--users", "50"]
    process = start(Launch(argv=argv, log=center.folder / "users.log"))
    try:
        yield Busy(out, process)
    finally:
        stop(process, timeout=1)
    assert (center.folder / "users.log").read_text() == ""


def audited(center: Center, busy: Busy, side: Side) -> LedgerAudit:
    found = audit(busy.out, center.dsn(side), shares=[center.share(side) for side in Side])
    assert found.clean, found
    assert found.acknowledged == busy.acknowledged
    return found


def test_nobody_notices_when_writes_move_and_return(center: Center) -> None:
    port = center.start("a", Arm.MODERN)
    began = datetime.now(UTC)
    with users(center, port) as busy:
        busy.wait_for(60)
        for epoch, (old, new) in enumerate(((Side.SOURCE, Side.TARGET), (Side.TARGET, Side.SOURCE)), 1):
            fence(center.dsn(old))
            copy_rows(center.dsn(old), center.dsn(new))
            open_writes(center.dsn(new), new, epoch)
            busy.wait_for(60)
        record, summary = busy.end()
    assert record.failed_requests == summary["failed"] == 0
    assert summary["given_up"] == summary["refused"] == 0
    assert record.longest_write_gap(began, datetime.now(UTC)).total_seconds() > 0
    audited(center, busy, Side.SOURCE)


def test_nothing_is_lost_when_servers_are_killed(center: Center) -> None:
    port = center.start("a")
    with users(center, port) as busy:
        for _ in range(3):
            busy.wait_for(30)
            center.launcher.kill("a")
        busy.wait_for(60)
        record, summary = busy.end()
    assert record.failed_requests > 0, "somebody must have been asking when it was killed"
    assert max(attempt.attempt for attempt in record.attempts) > 1
    assert summary["given_up"] == 0
    audited(center, busy, Side.SOURCE)


def test_nothing_is_lost_when_the_database_is_killed(center: Center) -> None:
    port = center.start("a")
    with users(center, port) as busy:
        for _ in range(2):
            busy.wait_for(30)
            center.clusters[Side.SOURCE].kill()
            center.clusters[Side.SOURCE].start()
        busy.wait_for(60)
        _, summary = busy.end()
    assert summary["given_up"] == 0
    audited(center, busy, Side.SOURCE)


def test_finds_what_was_lost_when_rows_and_documents_disappear(center: Center) -> None:
    port = center.start("a")
    with users(center, port) as busy:
        busy.wait_for(60)
        wait_for(lambda: any(p.kind == "statement" for p in read_acknowledged(busy.out)))
        busy.end()
    promised = read_acknowledged(busy.out)
    transfers = [p for p in promised if p.kind == "transfer"]
    statement = next(p for p in promised if p.kind == "statement")
    center.value(
        "WITH gone AS (DELETE FROM ledger.entries WHERE transfer_id = %d RETURNING 1),"  # noqa: UP031
        " changed AS (UPDATE ledger.transfers SET amount = amount + 1 WHERE id = %d RETURNING 1) SELECT 1"
        % (transfers[0].id, transfers[1].id)
    )
    (center.share(Side.SOURCE) / "statements" / statement.document).unlink()
    found = audit(busy.out, center.dsn(Side.SOURCE), shares=[center.share(Side.SOURCE)])
    assert (found.lost, found.wrong_amounts) == (1, 2)
    assert found.unbalanced > 0


def test_costs_little_when_users_come(center: Center) -> None:
    port = center.start("a")
    with users(center, port, rate=200) as busy:
        busy.wait_for(100)
        process = psutil.Process(busy.process.pid)

        def cheap_and_on_time() -> bool:
            before, requests, began = process.cpu_times(), read_record(busy.out).requests, time.monotonic()
            busy.wait_for(200)
            after, served = process.cpu_times(), read_record(busy.out).requests - requests
            spent = after.user + after.system - before.user - before.system
            return spent / served < 0.001 and served / (time.monotonic() - began) > 120

        wait_for(cheap_and_on_time)  # once nobody else has the processor
        busy.end()
