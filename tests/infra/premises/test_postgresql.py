"""The source's settings, tried on the PostgreSQL that they are for."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from crossfade.database.needs import FREE_SENDERS, FREE_SLOTS, WORKERS
from crossfade.infra.premises.postgresql import postgresql
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres
from crossfade.rehearsal.processes import free_ports, give_to_nobody
from tests.infra.templates import least, reference

SETTINGS, ADMISSION = (document.text for document in postgresql(reference()))
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """PostgreSQL 13 with what the file asks for; TLS needs a certificate of the data center's, and is not begun."""
    cluster = Cluster(programs=source_postgres(), directory=tmp_path_factory.mktemp("source"), port=free_ports(1)[0])
    cluster.create()
    with (cluster.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("include_dir = 'conf.d'\nssl = off\n")
    for name, text in (
        ("conf.d/crossfade.conf", SETTINGS.replace("ssl = on", "# ssl = on")),
        ("asked.conf", ADMISSION),
    ):
        path = cluster.data / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        give_to_nobody(path.parent)
    hba = cluster.data / "pg_hba.conf"
    hba.write_text(ADMISSION + hba.read_text(encoding="utf-8"), encoding="utf-8")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def rows(cluster: Cluster, query: str) -> Rows:
    with psycopg.connect(cluster.dsn(user="postgres", database="postgres")) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.parts
def test_the_server_takes_every_setting_and_has_room_for_the_migration(server: Cluster) -> None:
    told = "SELECT name, setting, error FROM pg_file_settings WHERE sourcefile LIKE '%%/conf.d/crossfade.conf'"
    taken = {name: (setting, error) for name, setting, error in rows(server, told)}
    asked = {line.split(" = ")[0] for line in SETTINGS.splitlines() if line[:1] not in {"#", ""}} - {"ssl"}
    assert set(taken) == asked
    assert {error for _, error in taken.values()} == {None}
    free = {
        name: int(rows(server, f"SHOW {name}")[0][0])
        for name in taken
        if name.startswith("max_") and "keep" not in name
    }
    assert free["max_replication_slots"] >= 10 + FREE_SLOTS
    assert free["max_wal_senders"] >= 10 + FREE_SENDERS
    assert free["max_logical_replication_workers"] >= 4 + WORKERS
    assert rows(server, "SHOW wal_level") == [("logical",)]


@pytest.mark.parts
def test_the_server_reads_every_line_of_admission(server: Cluster) -> None:
    told = "SELECT type, database, user_name, address, auth_method, error FROM pg_hba_file_rules ORDER BY line_number"
    without_tls = "hostssl record cannot match because SSL is disabled"  # here; the line itself is sound
    assert rows(server, told)[:3] == [
        ("hostssl", ["ledger"], ["<replication-role>"], "10.0.0.0", "scram-sha-256", without_tls),
        ("hostssl", ["ledger"], ["ledger_app"], "10.0.0.0", "md5", without_tls),
        ("host", ["all"], ["all"], "10.0.0.0", "reject", None),
    ]


def test_roles_that_keep_passwords_for_scram_use_nothing_older() -> None:
    _, admission = postgresql(least(database__source__version=16))
    assert "md5" not in admission.text


def test_the_source_keeps_no_more_than_the_file_allows() -> None:
    settings, _ = postgresql(least(database__replication__wal={"warn_at": "1GB", "drop_at": "2GiB"}))
    assert "max_slot_wal_keep_size = 2048MB" in settings.text
