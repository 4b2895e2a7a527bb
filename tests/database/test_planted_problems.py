"""Every problem of tests/database/plants.py, on PostgreSQL 13 and 18: found, remedied by the script, gone."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
import yaml
from typer.testing import CliRunner

from crossfade.cli.preflight import preflight
from crossfade.database.preflight import CHECKS, Found, Options, inspect, script_of
from crossfade.database.session import Parameters, PostgresSession, Query, Rows, Session
from crossfade.database.settings import NativeSettings, Reach
from crossfade.model.terms import Side
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import target_postgres
from tests.database.conftest import Clusters, Shelf, drop_database, unsubscribe
from tests.database.plants import CATALOG, DMS, FOR_DMS, ROLES, SERVERS, YARD, Plant
from tests.docs.documents import ROOT

pytestmark = pytest.mark.parts

OPTIONS = Options(long_transaction=timedelta(0), lob_limit_bytes=100_000, rate_window=timedelta(days=1))
LATIN, OF_18 = "ENCODING 'LATIN1'", "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
Seen = set[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yards:
    """A database of this name on both servers, the source's holding the yard."""

    servers: dict[Side, Cluster]
    names: dict[Side, str]
    restarted: bool

    def dsn(self, side: Side, user: str = "postgres") -> str:
        return self.servers[side].dsn(user=user, database=self.names[side])

    def run(self, side: Side, *statements: str) -> None:
        with psycopg.connect(self.dsn(side), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, side: Side, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn(side), autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def found(self, options: Options = OPTIONS, user: str = "crossfade", **changes: Any) -> tuple[Found, ...]:
        settings = NativeSettings(
            source=Reach(dsn="", subscriber_dsn=""),
            target=Reach(dsn="", subscriber_dsn=""),
            programs=target_postgres().programs,
            schemas=changes.get("schemas", ("yard",)),
            application_roles=changes.get("roles", ("yard_app",)),
        )

        def connect(side: Side) -> Session:
            patience = timedelta(seconds=20)
            session = changes.get("session", {}).get(side, PostgresSession)
            made: Session = session(side, self.dsn(side, user), application_name="crossfade", patience=patience)
            return made

        return inspect(settings, connect, options)

    def remedy(self, found: Sequence[Found]) -> None:
        """Run the script, with those statements in it that a person has to decide on."""
        script = script_of(found)
        for one in found:
            script = script.replace(f"-- {one.sql}\n", f"{one.sql}\n") if one.sql else script
        given = [f"-v{side}={self.dsn(side)}" for side in Side]
        psql = [str(target_postgres().path("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", *given]
        psql += ["-d", self.dsn(Side.SOURCE), "-f", "-"]
        done = subprocess.run(psql, input=script, text=True, capture_output=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr


def restart(server: Cluster) -> None:
    server.stop()
    server.start()


def seen(found: Iterable[Found]) -> Seen:
    return {(one.check.name, one.subject) for one in found}


def unlike(found: Iterable[Found], expected: Seen) -> list[str]:
    """What was found and not expected, with its words, and what was expected and not found."""
    found = list(found)
    more = [f"{one.check.name}: {one.subject}: {one.problem}" for one in found if not seen([one]) & expected]
    return sorted(more) + [f"missed: {name}: {subject}" for name, subject in sorted(expected - seen(found))]


def planted(plants: Iterable[Plant]) -> Seen:
    return {(plant.check, plant.subject) for plant in plants}


@contextmanager
def yards(source: Cluster, target: Cluster, target_is: str = "", *, restarted: bool = False) -> Iterator[Yards]:
    ends = {Side.SOURCE: source, Side.TARGET: target}
    made = Yards(servers=ends, names={side: f"yard_{side}" for side in Side}, restarted=restarted)
    servers = {server.port: server for server in (source, target)}.values()
    try:
        for server in servers:
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                for role in ROLES:
                    login = "NOLOGIN" if role.endswith("_owner") else "LOGIN"
                    connection.execute(f"CREATE ROLE {role} {login}".encode()) if role != "yard_holder_owner" else None
                connection.execute("CHECKPOINT")
        for side in Side:
            with psycopg.connect(made.servers[side].dsn(), autocommit=True) as connection:
                options = f"TEMPLATE template0 {target_is}" if side is Side.TARGET else ""
                connection.execute(f"CREATE DATABASE {made.names[side]} {options}".encode())
        made.run(Side.SOURCE, YARD)
        yield made
    finally:
        _clear(made, servers)


def _clear(made: Yards, servers: Iterable[Cluster]) -> None:
    for server in servers:
        server.start()
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
        if made.restarted:
            restart(server)
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            for (slot,) in connection.execute("SELECT slot_name FROM pg_replication_slots").fetchall():
                connection.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    for side in Side:
        with psycopg.connect(made.servers[side].dsn(), autocommit=True) as connection:
            stands = connection.execute("SELECT FROM pg_database WHERE datname = %s", (made.names[side],)).fetchall()
        if stands:
            for (gid,) in made.rows(side, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
                made.run(side, f"ROLLBACK PREPARED '{gid}'")
            unsubscribe(made.servers[side], made.names[side])
            drop_database(made.servers[side], made.names[side])
    for server in servers:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            for role in (*ROLES, "yard_clerk", "rds_superuser", "rds_replication"):
                connection.execute(f"DROP ROLE IF EXISTS {role}".encode())


@pytest.fixture
def servers(clusters: Clusters, shelf: Shelf) -> Clusters:
    shelf.clear()
    for side in Side:
        clusters[side].start()
    return clusters


def plant(where: Yards, plants: Iterable[Plant]) -> None:
    for one in plants:
        statements = one.sql.split(";") if "PREPARE" in one.sql else [one.sql]
        where.run(one.side, *filter(None, statements), *(f"ALTER SYSTEM SET {setting}" for setting in one.system))


def test_everything_planted_is_found_and_remedied_when_13_moves_to_18(servers: Clusters) -> None:
    plants = [*(p for p in CATALOG if p.since == 13), *SERVERS]
    roles = ("yard_app", "yard_boss", "yard_root", "yard_maker", "yard_holder")
    options = Options(long_transaction=timedelta(0), lob_limit_bytes=100_000, rate_window=timedelta(0))
    with yards(servers.source, servers.target, LATIN, restarted=True) as both, ExitStack() as open_ones:
        plant(both, plants)
        for server in both.servers.values():
            restart(server)
        at_work = open_ones.enter_context(closing(psycopg.connect(both.dsn(Side.SOURCE, "yard_root"))))
        assert not at_work.closed
        idle = open_ones.enter_context(closing(psycopg.connect(both.dsn(Side.SOURCE, "yard_app"))))
        idle.execute("SELECT 1")
        both.run(Side.SOURCE, "CHECKPOINT", "CREATE TABLE yard.busy AS SELECT 1 AS n FROM generate_series(1, 20000)",
                 "DROP TABLE yard.busy")  # fmt: skip
        long = ("long-transaction", f"session {idle.info.backend_pid} of yard_app")
        found = both.found(options, roles=roles)
        assert unlike(found, {*planted(plants), long, ("superuser-at-work", "role yard_root")}) == []
        assert all(one.sql or one.advice for one in found)
        both.remedy(found)
        for server in both.servers.values():
            restart(server)
        assert unlike(both.found(roles=roles), planted(p for p in plants if p.stays)) == []


def test_everything_planted_is_found_and_remedied_when_the_source_is_18(servers: Clusters) -> None:
    plants = [p for p in CATALOG if p.until > 13]
    collation = ("collations-differ", "collation")
    roles = ("yard_app", "yard_boss", "yard_root", "yard_maker", "yard_holder")
    everywhere = ("role-writes-everything", "role yard_almighty")  # the one server is the target's, too
    with yards(servers.target, servers.target, OF_18) as both:
        assert unlike(both.found(), {collation}) == [], "else the two are clean"
        plant(both, plants)
        found = both.found(roles=roles)
        assert unlike(found, {*planted(plants), everywhere, collation}) == []
        both.remedy(found)
        assert unlike(both.found(roles=roles), {*planted(p for p in plants if p.stays), collation}) == []


def test_finds_nothing_when_13_and_18_are_clean_but_the_limits_of_dms_when_it_moves_the_rows(servers: Clusters) -> None:
    with yards(servers.source, servers.target) as both:
        assert unlike(both.found(), set()) == []
        assert unlike(both.found(schemas=("yard", "yrad")), {("schema-missing", "schema yrad")}) == []
        both.run(Side.SOURCE, DMS)
        of_dms = seen(one for one in both.found(Options(dms=True)) if one.check.dms)
        assert of_dms == FOR_DMS
        assert seen(one for one in both.found() if one.check.dms) == set()
        given = both.found(Options(dms=True, numeric_scale_given=True))
        assert FOR_DMS - seen(given) == {("dms-numeric", "column yard.bare.amount")}
        both.remedy([one for one in given if one.check.dms])
        both.run(Side.SOURCE, "ALTER TABLE yard.bare ALTER amount TYPE numeric(12, 2)")
        stays = {name for name, _ in seen(both.found(Options(dms=True))) if name.startswith("dms")}
    assert stays == {"dms-large-objects", "dms-partitions"}


def test_asks_nothing_more_of_a_server_when_it_is_too_old(servers: Clusters) -> None:
    """None is installed here: one of 13 says that it is older."""
    asked: list[str] = []

    class Older(PostgresSession):
        def rows(self, query: Query, parameters: Parameters = None, *, patience: timedelta | None = None) -> Rows:
            asked.append(str(query))
            told = {"SHOW server_version_num": "120022", "SHOW server_version": "12.22"}.get(asked[-1])
            return [(told,)] if told else super().rows(query, parameters, patience=patience)

    with yards(servers.source, servers.target) as both:
        found = both.found(schemas=("yrad",), session={Side.SOURCE: Older})
    assert seen(found) == {("version-too-old", "source server")}
    assert "12.22" in found[0].problem
    assert set(asked) == {"SET search_path = ''", "SHOW server_version_num", "SHOW server_version"}


def test_asks_for_memberships_instead_of_a_superuser_when_it_is_rds(servers: Clusters) -> None:
    """RDS itself is not here: its roles are, and a role of ours that is no superuser."""
    with yards(servers.source, servers.target) as both:
        assert ("role-rights", "source server") in seen(both.found(user="yard_weak"))
        for side in Side:
            both.run(side, "CREATE ROLE rds_superuser NOLOGIN; CREATE ROLE rds_replication NOLOGIN")
            both.run(side, f"GRANT CREATE ON DATABASE {both.names[side]} TO rds_superuser")
        both.run(
            Side.SOURCE,
            "ALTER TABLE yard.good ENABLE ROW LEVEL SECURITY; ALTER TABLE yard.good FORCE ROW LEVEL SECURITY",
            "ALTER SYSTEM SET max_slot_wal_keep_size = -1",
            "SELECT pg_reload_conf()",
        )
        found = both.found(user="yard_weak")
        missing = {one.sql for one in found if one.check.name == "role-rights-on-rds" and one.side is Side.SOURCE}
        of = ("rds_superuser", "rds_replication", "yard_owner")
        assert missing == {f"GRANT {role} TO yard_weak;" for role in of}
        (slot,) = (one for one in found if one.check.name == "slot-wal-unlimited")
        assert not slot.sql
        assert "parameter group" in slot.advice
        both.remedy(found)
        left = seen(both.found(user="yard_weak"))
    assert {name for name, _ in left} == {"slot-wal-unlimited"}


def test_refuses_a_standby_and_an_older_target(servers: Clusters) -> None:
    with yards(servers.target, servers.source, restarted=True) as both:
        assert ("target-is-older", "versions") in seen(both.found())
        (both.servers[Side.TARGET].data / "standby.signal").touch()
        restart(both.servers[Side.TARGET])
        found = [one for one in both.found() if one.check.name == "standby"]
        assert seen(found) == {("standby", "target server")}
        both.remedy(found)
        assert "standby" not in {name for name, _ in seen(both.found())}


def test_every_check_is_planted_somewhere() -> None:
    here = {name for name, _ in planted((*CATALOG, *SERVERS)) | FOR_DMS}
    here |= {"superuser-at-work", "long-transaction", "role-rights", "role-rights-on-rds", "row-security"}
    here |= {"standby", "target-is-older", "collations-differ", "version-too-old", "schema-missing"}
    elsewhere = {"unreachable", "not-examined", "fence-trial-failed"}  # test_preflight.py
    elsewhere |= {check.name for check in CHECKS if check.name.startswith("ddl-")}  # test_drifted.py
    elsewhere |= {"role-lacks", "role-speaks-for-owners", "role-writes-by-owners", "role-reads-sequences"}
    elsewhere |= {"owner-is-superuser", "role-on-target", "subscription-without-password"}  # test_without_superuser.py
    assert {check.name for check in CHECKS} == here | elsewhere
    assert len(here) > 50


def test_command_groups_by_severity_and_writes_the_remedies_when_asked(servers: Clusters, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(preflight)
    script = tmp_path / "remedies.sql"
    with yards(servers.source, servers.target) as both:
        both.run(Side.SOURCE, "CREATE TABLE yard.bare (a int)", "CREATE UNLOGGED TABLE yard.fast (a int PRIMARY KEY)")
        dsns = [part for side in Side for part in (f"--{side}", both.dsn(side, "crossfade"))]
        argv = [*dsns, "--schema", "yard", "--role", "yard_app", "--json"]
        blocked = CliRunner().invoke(app, [*argv, "--remedies", str(script)])
        assert blocked.exit_code == 10
        told = blocked.stderr
        assert told.index("Blocks the move: 1") < told.index("yard.bare") < told.index("Deserves attention: 1")
        assert "ALTER TABLE yard.bare REPLICA IDENTITY FULL;" in script.read_text(encoding="utf-8").splitlines()
        both.run(Side.SOURCE, "DROP TABLE yard.bare")
        described = yaml.safe_load((ROOT / "examples" / "ledger" / "migration.yaml").read_text(encoding="utf-8"))
        accepted = {"unlogged-table: table yard.fast": "a cache"}
        described["database"] |= {"schemas": ["yard"], "application_roles": ["yard_app"], "preflight_accept": accepted}
        (tmp_path / "migration.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
        ready = CliRunner().invoke(app, [*dsns, "--json", "--file", str(tmp_path / "migration.yaml")])
    assert ready.exit_code == 0, ready.stderr
    answer = json.loads(ready.stdout.splitlines()[-1])
    assert [(one["check"], one["accepted"]) for one in answer["findings"]] == [("unlogged-table", "a cache")]
