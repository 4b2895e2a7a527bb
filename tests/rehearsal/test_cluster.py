import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from crossfade.rehearsal.cluster import Cluster, ClusterNotCreated, ClusterNotStarted
from crossfade.rehearsal.parts import PostgresPrograms, source_postgres, target_postgres
from crossfade.rehearsal.processes import PortBusy, free_ports
from tests.waiting import wait_for

pytestmark = pytest.mark.parts


@pytest.fixture(scope="module", params=[source_postgres, target_postgres], ids=["13", "18"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(
        programs=request.param(),
        directory=tmp_path_factory.mktemp("cluster") / "postgres",
        port=free_ports(1)[0],
        settings={"max_slot_wal_keep_size": "96MB"},
    )
    cluster.create()
    yield cluster
    cluster.stop()


@pytest.fixture
def running(made: Cluster) -> Iterator[Cluster]:
    made.start()
    yield made
    made.stop()


def ask(cluster: Cluster, question: str) -> str:
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_answers_with_its_settings_when_started(running: Cluster) -> None:
    assert running.alive
    assert running.pid is not None
    assert ask(running, "SHOW server_version_num").startswith(str(running.programs.major))
    assert ask(running, "SHOW wal_level") == "logical"
    assert ask(running, "SHOW max_connections") == "400"
    assert ask(running, "SHOW max_slot_wal_keep_size") == "96MB"
    assert ask(running, "SHOW fsync") == "on"


def test_listens_on_loopback_only_when_started(running: Cluster) -> None:
    assert running.pid is not None
    listening = [c.laddr for c in psutil.Process(running.pid).net_connections("all") if c.status == "LISTEN"]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", running.port)]


def test_keeps_its_data_when_killed_and_started_again(running: Cluster) -> None:
    with psycopg.connect(running.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    processes = [psutil.Process(running.pid), *psutil.Process(running.pid).children()]
    running.kill()
    assert not running.alive
    assert running.pid is None
    assert not [process for process in processes if process.is_running()]
    running.start()
    assert ask(running, "SELECT count(*) FROM kept") == "1"
    with psycopg.connect(running.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE kept")


def test_nothing_happens_when_created_or_started_twice(running: Cluster) -> None:
    before = running.pid
    running.create()
    running.start()
    assert running.pid == before


def test_names_the_port_when_it_is_busy(made: Cluster) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", made.port))
        other.listen()
        with pytest.raises(PortBusy, match=str(made.port)):
            made.start()
    assert not made.alive


def test_shows_the_log_when_a_setting_is_wrong(tmp_path: Path) -> None:
    cluster = Cluster(
        programs=target_postgres(), directory=tmp_path, port=free_ports(1)[0], settings={"shared_buffers": "lots"}
    )
    cluster.create()
    with pytest.raises(ClusterNotStarted, match="shared_buffers") as failure:
        cluster.start()
    assert failure.value.remedy
    assert not cluster.alive


def test_shows_the_reason_when_the_place_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cluster = Cluster(programs=target_postgres(), directory=tmp_path / "file", port=free_ports(1)[0])
    with pytest.raises(ClusterNotCreated, match="file") as failure:
        cluster.create()
    assert failure.value.remedy


def test_says_that_the_disk_is_full_when_initdb_says_so(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "initdb").write_text('#!/bin/sh\necho "initdb: error: No space left on device"\nexit 1\n')
    (programs / "initdb").chmod(0o755)
    tmp_path.chmod(0o755)
    cluster = Cluster(
        programs=PostgresPrograms(major=18, programs=programs), directory=tmp_path / "pg", port=free_ports(1)[0]
    )
    with pytest.raises(ClusterNotCreated) as failure:
        cluster.create()
    assert "is full" in failure.value.remedy


_CONDUCTOR = """
import sys, time
from pathlib import Path
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import {programs}
cluster = Cluster(programs={programs}(), directory=Path({directory!r}), port={port})
cluster.start()
print(cluster.pid, flush=True)
time.sleep(60)
"""


def test_ends_by_itself_when_the_rehearsal_is_killed(made: Cluster) -> None:
    programs = "source_postgres" if made.programs.major == 13 else "target_postgres"
    script = _CONDUCTOR.format(programs=programs, directory=str(made.directory), port=made.port)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as conductor:
        assert conductor.stdout is not None
        server = int(conductor.stdout.readline())
        assert psutil.pid_exists(server)
        os.kill(conductor.pid, signal.SIGKILL)
        conductor.wait()
    wait_for(lambda: not psutil.pid_exists(server))
