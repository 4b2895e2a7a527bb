"""A step that was cut off, at whatever statement, goes on where it stopped; or it goes back and leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from crossfade.expand.errors import DatabaseUnreachable
from crossfade.expand.session import Session
from crossfade.expand.state import Stands
from tests.expand.conftest import ON_13, SURE, Database, change, opened, silently
from tests.expand.kinds import CASES, CUSTOMER, RENAME, ROWS
from tests.waiting import wait_for

pytestmark = pytest.mark.parts


@contextmanager
def dying_at(statement: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The connection is cut as by kill -9, right before the n-th message, of one statement or several, is sent."""
    sent = 0

    def counting(send: Callable[..., Any]) -> Callable[..., Any]:
        def counted(self: Session, *arguments: Any) -> Any:
            nonlocal sent
            sent += 1
            if sent == statement:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
                    same.shutdown(socket.SHUT_RDWR)
            return send(self, *arguments)

        return counted

    with monkeypatch.context() as patch:
        patch.setattr(Session, "rows", counting(Session.rows))
        patch.setattr(Session, "script", counting(Session.script))
        yield


@ON_13
@pytest.mark.parametrize(("name", "stride"), [("rename", 4), ("extract a table", 7), ("add a unique constraint", 5)])
def test_it_goes_on_where_it_was_cut_off_whichever_statement_it_was(
    database: Database, name: str, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(each for each in CASES if each.name == name)
    database.run(*case.table.split(";"))
    file, before = change(case.change), database.shape()

    def carried_out(step: str, statement: int) -> bool:
        """False when it was cut off."""
        with suppress(DatabaseUnreachable), dying_at(statement, monkeypatch), opened(database, file) as change_:
            getattr(change_, step)(*({"backfill": [silently], "check": []}.get(step, [SURE])))
            return True
        return False

    for steps in (["expand", "back"], ["expand", "backfill", "check", "contract"]):
        for step in steps:
            cut = 1
            while not carried_out(step, cut):
                cut += stride
            assert cut > 1
        if steps[-1] == "back":
            assert database.shape() == before
    with database.change(file) as done:
        assert done.stands is Stands.CONTRACTED
    assert database.rows("SELECT count(*) FROM customer") == [(ROWS,)]


@ON_13
def test_a_killed_backfill_goes_on_after_the_last_batch(database: Database) -> None:
    database.run(*CUSTOMER.replace("120", "3000").split(";"))
    with database.change(RENAME) as change_:
        change_.expand(SURE)
    program = (
        "import sys; from crossfade.expand.change import read_change; from crossfade.expand.steps import *;"
        "from crossfade.expand.backfill import Pacing;"
        "SchemaChange(read_change(sys.argv[1], ''), Settings(dsn=sys.argv[2], pacing=Pacing(share_percent=1)))"
        ".backfill(lambda _: None)"
    )
    text = "{version: 1, name: r, table: public.customer, rename_column: {column: mail, to: email}}"
    walking = "SELECT rows_walked FROM crossfade_expand.change WHERE rows_walked > 0"
    with subprocess.Popen([sys.executable, "-c", program, text, database.dsn]) as process:
        wait_for(lambda: database.rows(walking))
        process.send_signal(signal.SIGKILL)
    at_work = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    wait_for(lambda: not database.rows(at_work))  # its server's process may still have a batch to commit
    walked = database.rows(walking)[0][0]
    done = database.rows("SELECT count(*) FROM customer WHERE email IS NOT NULL")[0][0]
    with opened(database, RENAME) as change_:
        assert change_.stands is Stands.BACKFILLING
        assert change_.backfill(silently) == 3000 - done
    assert done == walked < 3000
    assert database.rows("SELECT count(*) FROM customer WHERE email IS DISTINCT FROM mail") == [(0,)]
