import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli import synth as synth_module
from crossfade.cli.synth import synth
from crossfade.infra import synthesis
from crossfade.infra.errors import ExtraMissing, NodeMissing, OutputOccupied, TypeNotThere
from tests.model.file.files import with_values

PEM = (Path(__file__).parents[1] / "notify" / "loopback.pem").read_bytes()  # a certificate, and its key
CERTIFICATE = PEM[PEM.index(b"-----BEGIN CERTIFICATE") :].partition(b"-----BEGIN PRIVATE")[0]


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(synth)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def written(folder: Path, **changes: object) -> Path:
    path = folder / "migration.yaml"
    path.write_text(with_values(**changes), encoding="utf-8")
    return path


GATEWAY = {
    "connectivity__vpn__customer_gateway": "203.0.113.10",
    "source__servers": [{"name": "web-1", "address": "192.168.1.1"}],
}


def test_templates_are_written_and_told_when_the_file_is_sound(tmp_path: Path) -> None:
    out = tmp_path / "cdk.out"
    result = run(written(tmp_path, **GATEWAY), "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    (line,) = result.stdout.splitlines()
    answer = json.loads(line)
    assert answer["resources"] == sum(stack["resources"] for stack in answer["stacks"])
    assert all((out / stack["template"]).is_file() for stack in answer["stacks"])
    assert "network-dev" in result.stderr


def test_all_that_is_missing_is_told_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, connectivity__direct_connect__enabled=True, database__replication__engine="dms")
    result = run(path, "--out", tmp_path / "cdk.out")
    assert result.exit_code == 2
    assert "5 faults" in result.stderr
    assert "connectivity.vpn.customer_gateway" in result.stderr
    line = next(i for i, line in enumerate(path.read_text().splitlines(), start=1) if "direct_connect:" in line)
    assert f"{path}:{line}:" in result.stderr
    assert not (tmp_path / "cdk.out").exists()


def test_faults_of_the_file_come_first(tmp_path: Path) -> None:
    result = run(written(tmp_path, servers__count=0), "--out", tmp_path / "cdk.out")
    assert result.exit_code == 2
    assert "servers.count" in result.stderr


def test_it_says_what_to_install_when_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cdk_nag", None)
    with pytest.raises(ExtraMissing) as raised:
        synthesis.load_libraries()
    assert "crossfade[aws]" in raised.value.remedy


def test_it_says_what_to_install_when_there_is_no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JSII_NODE", raising=False)
    with pytest.raises(NodeMissing):
        synthesis.load_libraries()


def test_nothing_is_overwritten_when_the_folder_holds_something_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(synthesis, "load_libraries", lambda: None)
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    result = run(written(tmp_path, **GATEWAY), "--out", tmp_path)
    assert isinstance(result.exception, OutputOccupied)
    assert (tmp_path / "precious.txt").read_text(encoding="utf-8") == "mine"


def test_the_folder_of_the_cdk_command_line_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "theirs"))
    result = run(written(tmp_path, **GATEWAY), "--out", tmp_path / "ours")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "theirs" / "manifest.json").is_file()
    assert not (tmp_path / "ours").exists()


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    out = tmp_path / "cdk.out"
    result = run(written(tmp_path, **GATEWAY), "--out", out, "--json", "--without", "AWS::EC2::FlowLog")
    assert result.exit_code == 0, result.stderr
    (left_out,) = json.loads(result.stdout.splitlines()[-1])["left_out"]
    assert (left_out["stack"], left_out["type"], left_out["because_of"]) == ("network-dev", "AWS::EC2::FlowLog", None)
    assert f"left out: network-dev/{left_out['resource']}" in result.stderr
    assert "AWS::EC2::FlowLog" not in (out / "network.template.json").read_text(encoding="utf-8")


def test_a_type_that_nothing_is_of_is_bad_usage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, without: tuple[str, ...], **__: object) -> None:
        raise TypeNotThere(without)

    monkeypatch.setattr(synth_module, "load_libraries", lambda: None)
    monkeypatch.setattr(synth_module, "synthesise", refuse)
    result = run(written(tmp_path, **GATEWAY), "--without", "AWS::EC2::FlowLogs")
    assert result.exit_code == 2
    assert "AWS::EC2::FlowLogs" in result.stderr


def test_the_sources_certificate_is_imported_and_verified_when_the_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("-----BEGIN CERTIFICATE-----\n", encoding="ascii")


def test_each_sides_certificate_is_verified_when_the_file_names_its_authority(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(CERTIFICATE)
    dms = {
        "database__replication__engine": "dms",
        "database__source": {"host": "db", "credentials": "secretsmanager:db", "root_certificate": "root.pem"},
        "database__target": {"tls": "verify-ca", "root_certificate": "root.pem"},
    }
    result = run(written(tmp_path, **GATEWAY, **dms), "--out", tmp_path / "cdk.out")
    assert result.exit_code == 0, result.stderr
    template = json.loads((tmp_path / "cdk.out" / "replication.template.json").read_text(encoding="utf-8"))
    made = [r["Properties"] for r in template["Resources"].values() if r["Type"].startswith("AWS::DMS::")]
    authorities = [p for p in made if "CertificatePem" in p]
    assert [p["CertificatePem"] for p in authorities] == [CERTIFICATE.decode()] * 2
    modes = {p["EndpointIdentifier"].removesuffix("-dev"): p["SslMode"] for p in made if "SslMode" in p}
    assert modes == {
        "endpoint-source-as-source": "verify-full",
        "endpoint-source-as-target": "verify-full",
        "endpoint-target-as-source": "verify-ca",
        "endpoint-target-as-target": "verify-ca",
    }
    assert all(p["CertificateArn"] for p in made if "SslMode" in p)
    assert "not kept by DMS" not in result.stderr


def test_a_file_without_a_certificate_is_a_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("", encoding="ascii")
    (tmp_path / "cut.pem").write_bytes(CERTIFICATE[:200])
    (tmp_path / "key.pem").write_bytes(PEM)
    named = {
        "database__source__root_certificate": "empty.pem",
        "database__target__root_certificate": "cut.pem",
    }
    result = run(written(tmp_path, **GATEWAY, **named), "--out", tmp_path / "cdk.out")
    assert result.exit_code == 2
    assert "empty.pem holds no certificate" in result.stderr
    assert "cut.pem holds no certificate" in result.stderr
    path = written(tmp_path, **GATEWAY, database__source__root_certificate="key.pem")
    result = run(path, "--out", tmp_path / "cdk.out")
    assert result.exit_code == 2
    assert "key.pem holds a private key" in result.stderr


def test_what_dms_does_not_verify_is_told(tmp_path: Path) -> None:
    dms = {
        "database__replication__engine": "dms",
        "database__source": {"host": "db", "credentials": "secretsmanager:db", "tls": "require"},
    }
    result = run(written(tmp_path, **GATEWAY, **dms), "--out", tmp_path / "cdk.out")
    assert result.exit_code == 0, result.stderr
    assert "database.target.tls: verify-full is not kept by DMS" in result.stderr
    assert "database.source.tls" not in result.stderr


def test_a_certificate_that_is_not_there_is_a_fault_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, **GATEWAY, database__source__root_certificate="gone.pem")
    result = run(path, "--out", tmp_path / "cdk.out")
    assert result.exit_code == 2
    assert "database.source.root_certificate" in result.stderr


def test_settings_of_the_servers_are_kept_when_the_file_names_documents(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text('schemaVersion: "2.2"\nmainSteps: []\n', encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("just a text", encoding="utf-8")
    out = tmp_path / "cdk.out"
    result = run(written(tmp_path, **GATEWAY, servers__configuration={"limits": "limits.yaml"}), "--out", out)
    assert result.exit_code == 0, result.stderr
    assert "document-settings-limits-dev" in (out / "validation.template.json").read_text(encoding="utf-8")
    bad = {"limits": "broken.yaml", "more": "gone.yaml"}
    refused = run(written(tmp_path, **GATEWAY, servers__configuration=bad), "--out", tmp_path / "other")
    assert refused.exit_code == 2
    assert "servers.configuration.limits" in refused.stderr
    assert "servers.configuration.more" in refused.stderr
