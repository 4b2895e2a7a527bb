import csv
import json
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli.on_premises import on_premises
from crossfade.infra.premises.errors import DocumentsDiffer, FolderRefused
from crossfade.infra.reach import Party, flows
from tests.infra.premises.vpn import FIRST, KEYS, SECOND, configuration
from tests.infra.templates import reference
from tests.model.file.files import with_values
from tests.model.file.published import EXAMPLE


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(on_premises)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def told(tmp_path: Path) -> Path:
    path = tmp_path / "vpn.xml"
    path.write_bytes(configuration())
    return path


def test_everything_is_written_and_what_is_left_to_fill_in_is_told(tmp_path: Path) -> None:
    out = tmp_path / "premises"
    result = run(EXAMPLE, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout.splitlines()[-1])
    assert {file["path"] for file in answer["files"]} == {
        str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()
    }
    assert "<tunnel-1-aws-address>" in answer["blanks"]
    assert "<tunnel-1-aws-address>" in result.stderr
    guide = (out / "README.md").read_text(encoding="utf-8")
    assert [file["path"] for file in answer["files"][1:] if file["path"] not in guide] == []
    assert [blank for blank in answer["blanks"] if blank not in guide] == []


def test_the_firewalls_table_has_every_connection_of_the_data_center(tmp_path: Path) -> None:
    run(EXAMPLE, "--out", tmp_path / "out")
    with (tmp_path / "out" / "firewall.csv").open(encoding="utf-8", newline="") as file:
        rows = {(r["from"], r["to"], r["protocol"], r["ports"], r["why"]) for r in csv.DictReader(file)}
    needed = {
        (
            f.opens.replace("-", " "),
            f.takes.replace("-", " "),
            f.protocol,
            f"{f.first_port}" if f.first_port == f.last_port else f"{f.first_port}-{f.last_port}",
            f.why,
        )
        for f in flows(reference())
        if Party.DATA_CENTER in {f.opens, f.takes}
    }
    assert needed <= rows
    assert {(row[0], row[1]) for row in rows - needed} == {("router", "AWS"), ("AWS", "router")}


def test_keys_are_never_shown_and_only_their_owner_reads_them(tmp_path: Path, told: Path) -> None:
    out = tmp_path / "premises"
    result = run(EXAMPLE, "--out", out, "--vpn-configuration", told, "--keys", "--json")
    assert result.exit_code == 0, result.stderr
    assert not [key for key in KEYS if key in result.output + result.stderr]
    files = json.loads(result.stdout.splitlines()[-1])["files"]
    for file in files:
        path = out / file["path"]
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == (0 if file["secret"] else 0o044)
        assert file["secret"] or not [key for key in KEYS if key in path.read_text(encoding="utf-8")]
    assert KEYS[0] in (out / "cisco-ios-xe-keys.txt").read_text(encoding="utf-8")


def test_keys_stay_where_they_are_when_nobody_asks_for_them(tmp_path: Path, told: Path) -> None:
    run(EXAMPLE, "--out", tmp_path / "out", "--vpn-configuration", told)
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert texts
    assert not [key for key in KEYS for text in texts if key in text]


def test_a_key_that_aws_hides_is_told(tmp_path: Path, told: Path) -> None:
    told.write_bytes(configuration(SECOND | {"key": "****"}, FIRST))
    result = run(EXAMPLE, "--out", tmp_path / "out", "--vpn-configuration", told, "--keys")
    assert result.exit_code == 0
    assert "hides the key of tunnel 2" in result.stderr


def test_faults_of_the_configuration_are_told_with_their_places(tmp_path: Path, told: Path) -> None:
    told.write_bytes(configuration(SECOND | {"asn": "1"}, FIRST | {"ours": "198.51.100.1"}))
    result = run(EXAMPLE, "--out", tmp_path / "out", "--vpn-configuration", told)
    assert result.exit_code == 2
    assert "2 faults" in result.stderr
    assert f"{told}:" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_configuration_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    result = run(EXAMPLE, "--out", tmp_path / "out", "--vpn-configuration", tmp_path / "gone.xml")
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_a_file_without_a_vpn_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "migration.yaml"
    path.write_text(with_values(), encoding="utf-8")
    result = run(path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "connectivity.vpn.customer_gateway" in result.stderr


def test_what_somebody_has_filled_in_stays_unless_asked(tmp_path: Path) -> None:
    out = tmp_path / "premises"
    assert run(EXAMPLE, "--out", out).exit_code == 0
    assert run(EXAMPLE, "--out", out).exit_code == 0, "the same may be written again"
    (out / "firewall.csv").write_text("mine", encoding="utf-8")
    (out / "README.md").unlink()
    result = run(EXAMPLE, "--out", out)
    assert isinstance(result.exception, DocumentsDiffer)
    assert result.exception.paths == ("firewall.csv",)
    assert not (out / "README.md").exists(), "nothing is written when not everything can be"
    assert run(EXAMPLE, "--out", out, "--replace").exit_code == 0
    assert (out / "firewall.csv").read_text(encoding="utf-8") != "mine"


def test_it_says_so_when_the_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    result = run(EXAMPLE, "--out", tmp_path / "out")
    assert isinstance(result.exception, FolderRefused)
    assert result.exception.remedy
