import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.chunks import chunks
from crossfade.model.terms import Side
from tests.verify.conftest import Pair, clusters, databases

__all__ = ["clusters", "databases"]  # fixtures

pytestmark = pytest.mark.parts

ROWS = (
    *(f"CREATE TABLE t{n} (id int PRIMARY KEY, name text)" for n in range(4)),
    *(f"INSERT INTO t{n} VALUES (1, 'a'), (2, 'b'), (3, 'c')" for n in range(4)),
)


class Ran:
    """The command against a pair of databases, and its files."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.dsns = ["--source", pair.dsn(Side.SOURCE), "--target", pair.dsn(Side.TARGET)]
        self.chunks, self.found = folder / "chunks.jsonl", folder / "found.jsonl"

    def run(self, *words: str | Path, given: str | None = None) -> Result:
        return CliRunner().invoke(chunks, [*map(str, words), *self.dsns], input=given)

    def cut(self) -> Result:
        return self.run("cut", "--out", self.chunks, "--json")

    def compare(self, *more: str | Path, given: str | None = None) -> Result:
        part = "-" if given else self.chunks
        return self.run("compare", part, "--results", self.found, "--json", *more, given=given)

    def gather(self, *more: str | Path) -> Result:
        return self.run("gather", self.chunks, self.found, "--json", *more)


def last(result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


@pytest.fixture
def ran(databases: Pair, tmp_path: Path) -> Ran:
    databases.both(*ROWS)
    databases.run(Side.TARGET, "UPDATE t2 SET name = 'x' WHERE id = 3")
    return Ran(databases, tmp_path)


def test_tells_what_all_workers_found_when_all_is_gathered(ran: Ran, tmp_path: Path) -> None:
    assert ran.cut().exit_code == 0
    lines = ran.chunks.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    batch = json.dumps({"Items": [json.loads(line) for line in lines[2:]]})
    assert last(ran.compare(given=batch)) == {"chunks": 2, "compared": 2}
    assert ran.gather().exit_code == 10  # two tables have no result
    assert last(ran.compare()) == {"chunks": 4, "compared": 2}
    gathered = ran.gather("--out", tmp_path / "out", "--repair", tmp_path / "repair.sql")
    assert gathered.exit_code == 10
    answer = last(gathered)
    assert (answer["rows"], answer["unresolved"]) == (12, [])
    assert answer["differences"] == [{"table": "public.t2", "key": '{"id": 3}', "kind": "changed", "columns": ["name"]}]
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8"))["key"] == '{"id": 3}'
    assert "UPDATE" in (tmp_path / "repair.sql").read_text(encoding="utf-8")
    assert all(path.stat().st_mode & 0o077 == 0 for path in (ran.chunks, ran.found))


def test_goes_on_where_it_was_killed_when_it_is_run_again(ran: Ran) -> None:
    ran.cut()
    ran.compare()
    whole = ran.found.read_bytes()
    ran.found.write_bytes(whole[: whole.index(b"\n") + 30])  # a second line was being written
    assert last(ran.compare()) == {"chunks": 4, "compared": 3}
    lines = [json.loads(line) for line in ran.found.read_text(encoding="utf-8").splitlines()]
    assert sorted(line["number"] for line in lines) == [1, 2, 3, 4]
    assert last(ran.gather())["rows"] == 12
    assert last(ran.compare()) == {"chunks": 4, "compared": 0}


def test_refuses_what_is_not_its_own(ran: Ran, databases: Pair) -> None:
    ran.cut()
    databases.both("ALTER TABLE t1 ADD COLUMN more int")
    refused = ran.compare()
    assert (refused.exit_code, "other servers, tables" in refused.stderr) == (2, True)
    ran.found.write_text("s3cret\n", encoding="utf-8")
    for result in (ran.compare(), ran.gather(), ran.run("gather", ran.found, ran.found)):
        assert (result.exit_code, "line 1" in result.stderr, "s3cret" in result.output) == (2, True, False)
    assert ran.found.read_text(encoding="utf-8") == "s3cret\n"
    assert ran.run("compare", "nowhere", "--results", "-").exit_code == 1


def test_says_at_once_what_cannot_be_compared_when_it_cuts(ran: Ran, databases: Pair) -> None:
    databases.run(Side.SOURCE, "CREATE TABLE alone (id int)")
    result = ran.cut()
    assert result.exit_code == 10
    assert last(result)["unresolved"] == ["public.alone: missing on the target"]
    ran.compare()
    assert last(ran.gather())["unresolved"] == ["public.alone: missing on the target"]
