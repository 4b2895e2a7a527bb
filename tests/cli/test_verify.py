import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli.verify import verify
from crossfade.model.terms import Side
from crossfade.rehearsal.processes import free_ports
from tests.verify.conftest import Pair, clusters, databases, replicated

__all__ = ["clusters", "databases", "replicated"]  # fixtures

pytestmark = pytest.mark.parts

SOURCE, TARGET = Side.SOURCE, Side.TARGET
ITEMS = ("CREATE TABLE items (id int PRIMARY KEY, name text)", "INSERT INTO items VALUES (1, 'a'), (2, 'b'), (3, 'c')")

app = typer.Typer()
app.command()(verify)


def run(pair: Pair, *options: str, target: str | None = None) -> Result:
    argv = ["--source", pair.dsn(SOURCE), "--target", target or pair.dsn(TARGET), *options]
    return CliRunner().invoke(app, argv)


def last(result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_ends_with_0_when_nothing_differs(databases: Pair) -> None:
    databases.both(*ITEMS)
    result = run(databases, "--json")
    assert result.exit_code == 0, result.stderr
    answer = last(result)
    assert isinstance(answer.pop("seconds"), float)
    assert answer == {"tables": 1, "rows": 3, "differences": [], "unresolved": []}
    assert len(result.stdout.splitlines()) == 1


def test_ends_with_10_and_lists_them_when_rows_differ(databases: Pair) -> None:
    databases.both(*ITEMS)
    databases.run(TARGET, "UPDATE items SET name = 'x' WHERE id = 2", "DELETE FROM items WHERE id = 3")
    result = run(databases, "--json")
    assert result.exit_code == 10
    assert last(result)["differences"] == [
        {"table": "public.items", "key": '{"id": 2}', "kind": "changed", "columns": ["name"]},
        {"table": "public.items", "key": '{"id": 3}', "kind": "missing", "columns": []},
    ]
    assert '{"id": 2}' in result.stderr


def test_ends_with_10_when_a_table_is_missing_on_one_side(databases: Pair) -> None:
    databases.run(SOURCE, *ITEMS)
    result = run(databases, "--json")
    assert result.exit_code == 10
    assert last(result)["unresolved"] == ["public.items: missing on the target"]


def test_prints_nothing_to_stdout_when_json_was_not_asked_for(databases: Pair) -> None:
    databases.both(*ITEMS)
    result = run(databases)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "3 rows in 1 tables" in result.stderr


def test_ends_with_2_when_a_named_table_stands_nowhere(databases: Pair) -> None:
    databases.both(*ITEMS)
    result = run(databases, "--table", "items", "--table", "nosuch")
    assert result.exit_code == 2
    assert "nosuch" in result.stderr
    assert "schema.table" in result.stderr


def test_compares_live_when_replication_runs(databases: Pair, replicated: Callable[[Side], str]) -> None:
    databases.both(*ITEMS)
    replicated(SOURCE)
    databases.run(SOURCE, "INSERT INTO items VALUES (4, 'd')")
    assert run(databases, "--live").exit_code == 0
    databases.run(TARGET, "DELETE FROM items WHERE id = 4")
    assert run(databases, "--live").exit_code == 10


def test_writes_masked_values_and_a_repair_when_asked_for(databases: Pair, tmp_path: Path) -> None:
    databases.both(*ITEMS)
    databases.run(TARGET, "UPDATE items SET name = 'secret' WHERE id = 2")
    out, repair = tmp_path / "found.jsonl", tmp_path / "repair.sql"
    repair.write_text("for everybody", encoding="utf-8")
    result = run(databases, "--out", str(out), "--repair", str(repair), "--workers", "2")
    assert result.exit_code == 10, result.stderr
    (line,) = [json.loads(each) for each in out.read_text(encoding="utf-8").splitlines()]
    assert (line["table"], line["key"], line["kind"], line["columns"]) == (
        "public.items",
        '{"id": 2}',
        "changed",
        ["name"],
    )
    assert line["source"]["name"] != line["target"]["name"]
    assert "secret" not in out.read_text(encoding="utf-8") + result.output
    assert line["target"]["name"] in result.stderr
    assert all(path.stat().st_mode & 0o077 == 0 for path in (out, repair))
    shown = run(databases, "--out", str(out), "--show-values")
    assert "secret" in out.read_text(encoding="utf-8")
    assert "secret" in shown.stderr
    databases.run(TARGET, repair.read_text(encoding="utf-8"))
    assert run(databases).exit_code == 0


def test_compares_what_is_not_rows_when_asked_for(databases: Pair) -> None:
    databases.both(*ITEMS, "ANALYZE items")
    assert run(databases, "--schema").exit_code == 0
    databases.run(TARGET, "CREATE INDEX by_name ON items (name)")
    result = run(databases, "--schema", "--json")
    assert result.exit_code == 10
    assert last(result)["schema"] == [
        {
            "table": "public.items",
            "kind": "index",
            "name": "by_name",
            "source": None,
            "target": "CREATE INDEX by_name ON public.items USING btree (name)",
        }
    ]
    assert run(databases).exit_code == 0


def test_keeps_to_rules_and_excluded_tables_when_given(databases: Pair, tmp_path: Path) -> None:
    databases.both(*ITEMS, "CREATE TABLE noise (id int PRIMARY KEY)")
    databases.run(TARGET, "ALTER TABLE items RENAME TO things", "INSERT INTO noise VALUES (1)")
    rules = tmp_path / "rules.yaml"
    rules.write_text('tables: {public.items: {target: public.things, where: "id > 1"}}', encoding="utf-8")
    result = run(databases, "--rules", str(rules), "--exclude", "noise", "--json")
    assert result.exit_code == 0, result.stderr
    assert last(result)["rows"] == 2


def test_ends_with_2_and_every_fault_when_rules_are_faulty(databases: Pair, tmp_path: Path) -> None:
    databases.both(*ITEMS)
    rules = tmp_path / "rules.yaml"
    rules.write_text("tables: {items: {}, public.items: {wher: x, where: 'true; DROP TABLE items'}}", encoding="utf-8")
    result = run(databases, "--rules", str(rules))
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    for fault in ("1:10 tables.items", "1:36 tables.….wher is not known", "without a semicolon", "3 faults in"):
        assert fault in told
    rules.write_text("tables: {public.items: {columns: {nope: such}}, public.none: {}}", encoding="utf-8")
    result = run(databases, "--rules", str(rules))
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    for fault in ("no column nope on the source", "no column such on the target", "no table public.none on the source"):
        assert fault in told
    for content in (": [", ""):
        rules.write_text(content, encoding="utf-8")
        assert run(databases, "--rules", str(rules)).exit_code == 2


def test_goes_on_with_a_manifest_and_refuses_that_of_others(databases: Pair, tmp_path: Path) -> None:
    databases.both(*ITEMS)
    path = str(tmp_path / "work")
    assert run(databases, "--manifest", path).exit_code == 0
    assert run(databases, "--manifest", path, "--max-statements", "100", "--slowdown", "2").exit_code == 0
    result = run(databases, "--manifest", path, "--strict")
    assert result.exit_code == 2
    assert "was made for other servers" in " ".join(result.stderr.split())


def test_ends_with_1_when_live_is_asked_for_and_nothing_replicates(databases: Pair) -> None:
    result = run(databases, "--live")
    assert result.exit_code == 1
    assert "no logical replication" in result.stderr
    assert "without --live" in result.stderr


@pytest.mark.parametrize(
    ("dsn", "code"),
    [
        ("host=127.0.0.1 port=x password=s3cret", 2),
        ("s3cret", 2),
        ("postgresql://u:p@s3cret@127.0.0.1:1/x", 1),
        ("postgresql://u:s3cret@127.0.0.1:bad:1/x", 2),
        ("host=127.0.0.1 port={port} user=u password=s3cret dbname=x", 1),
        ("host=127.0.0.1 port={up} user=nobody password=s3cret dbname=x", 1),
        ("host=127.0.0.1 port={up} user=postgres password=s3cret dbname=nosuch", 1),
    ],
)
def test_names_the_side_but_no_password_when_a_dsn_leads_nowhere(databases: Pair, dsn: str, code: int) -> None:
    target = dsn.format(port=free_ports(1)[0], up=databases.clusters[TARGET].port)
    result = run(databases, target=target)
    assert result.exit_code == code, result.stderr
    assert "target" in result.stderr
    assert "s3cret" not in result.output
    assert "Traceback" not in result.output


def test_tells_faults_of_both_dsns_and_of_the_rules_at_once_before_any_server_is_asked(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("tables: {items: {}}", encoding="utf-8")
    result = CliRunner().invoke(app, ["--source", "a", "--target", "b", "--rules", str(rules)])
    assert result.exit_code == 2
    assert all(word in result.stderr for word in ("source DSN", "target DSN", "schema.table"))
