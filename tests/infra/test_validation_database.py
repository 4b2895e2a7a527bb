"""The check of the database, run as Systems Manager runs it, against a PostgreSQL that speaks TLS."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossfade.infra.validation import server_document
from crossfade.model.file import MigrationFile
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports, give_to_nobody
from tests.infra.templates import least
from tests.waiting import wait_for

pytestmark = [pytest.mark.parts, pytest.mark.timeout(600)]

TLS = Path(__file__).parents[1] / "data" / "tls"
ADMISSION = "host all checker 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n"
OVER_TLS = "SELECT 1 FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"
PSQL = """
import sys, psycopg
(said,) = (word.removeprefix("--command=") for word in sys.argv[1:] if word.startswith("--command="))
try:
    with psycopg.connect() as connection:
        print(*(row[0] for row in connection.execute(said)), sep="\\n", end="")
except psycopg.Error as refusal:
    sys.exit(str(refusal))
"""
"""psql with a libpq that knows TLS, which that of the rehearsal's own psql does not."""

Check = Callable[..., tuple[int, str]]


def step(file: MigrationFile, *, host: str = "db", secret: str = "s") -> str:
    steps: Any = server_document(file, database_host=host, secret=secret)["mainSteps"]
    (script,) = ["\n".join(s["inputs"]["runCommand"]) for s in steps if s["name"].startswith("database_")]
    return script


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(
        programs=source_postgres(),
        directory=tmp_path_factory.mktemp("target"),
        port=free_ports(1)[0],
        settings={"ssl": "on", "password_encryption": "scram-sha-256"},
    )
    cluster.create()
    for name in ("server.crt", "server.key"):
        path = cluster.data / name
        path.write_bytes((TLS / name).read_bytes())
        path.chmod(0o600)
    (cluster.data / "pg_hba.conf").write_text(ADMISSION, encoding="utf-8")
    give_to_nobody(cluster.data)
    try:
        cluster.start()
        with psycopg.connect(cluster.dsn(user="postgres", database="postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE checker LOGIN PASSWORD 'a good one'")
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def check(server: Cluster, tmp_path: Path) -> Check:
    """Runs the document's step for a query, where `aws` gives the secret: its code, and what it said."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (
        ("aws", '#!/bin/sh\n[ "$1 $2 $4" = "secretsmanager get-secret-value the-secret" ] && cat "$SECRET"\n'),
        ("psql", f"#!{sys.executable}\n{PSQL}"),
    ):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)

    def run(query: str, *, password: str = "a good one") -> tuple[int, str]:
        secret = {"username": "checker", "password": password, "dbname": "postgres", "port": server.port}
        (tmp_path / "secret.json").write_text(json.dumps(secret), encoding="utf-8")
        file = least(checks={"database": [{"name": "ledger", "query": query}]})
        script = step(file, host="127.0.0.1", secret="the-secret")
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "SECRET": str(tmp_path / "secret.json")}
        done = subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=180
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_it_passes_when_a_row_was_read_over_tls(check: Check) -> None:
    assert check(OVER_TLS) == (0, "ledger: connected over TLS and read\n")


def test_it_fails_when_the_query_returns_no_row(check: Check) -> None:
    code, said = check("SELECT 1 WHERE false")
    assert (code, "returned no row" in said) == (1, True)


def test_it_changes_nothing_whatever_the_query_says(check: Check) -> None:
    code, said = check("CREATE TABLE changed (id int)")
    assert (code, "read-only transaction" in said) == (1, True)


def test_it_fails_without_the_right_password_and_shows_none(check: Check) -> None:
    code, said = check(OVER_TLS, password="a bad one")
    assert (code, "authentication failed" in said) == (1, True)
    assert "a bad one" not in said


def test_it_fails_when_the_server_offers_no_tls(server: Cluster, check: Check) -> None:
    def offer(tls: str) -> None:
        with psycopg.connect(server.dsn(user="postgres", database="postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET ssl = {tls}".encode())
            connection.execute("SELECT pg_reload_conf()")
            wait_for(lambda: connection.execute("SHOW ssl").fetchone() == (tls,))

    offer("off")
    try:
        code, said = check("SELECT 1")
        assert (code, "does not support SSL" in said) == (1, True)
    finally:
        offer("on")


def test_the_real_psql_knows_the_words_that_it_is_given() -> None:
    (said,) = (line for line in step(least(checks={"database": [{}]})).splitlines() if "$(psql " in line)
    program = str(target_postgres().path("psql"))
    known = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    words = {word.partition("=")[0] for word in said.split() if word.startswith("--")}
    assert words
    assert words <= {word.strip(",").partition("=")[0] for word in known.split()}
