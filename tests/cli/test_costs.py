import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli.costs import costs
from tests.infra.templates import least
from tests.model.file.files import with_values

ENOUGH = {
    "connectivity__vpn__customer_gateway": "203.0.113.10",
    "source__servers": [{"name": "web-1", "address": "192.168.1.1"}],
}


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(costs)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def written(folder: Path, **changes: object) -> Path:
    path = folder / "migration.yaml"
    path.write_text(with_values(**changes), encoding="utf-8")
    return path


def test_components_and_quotas_are_told(tmp_path: Path) -> None:
    result = run(written(tmp_path, **ENOUGH), "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout.splitlines()[-1])
    priced = [c for c in answer["components"] if c["amount"] is not None and not c["once"]]
    assert answer["monthly"] == pytest.approx(sum(c["amount"] for c in priced), abs=0.2)
    assert {c["component"] for c in priced} >= {"VPN", "KMS keys", "interface endpoints"}
    assert [q["name"] for q in answer["quotas"] if q["raise"]] == [answer["quotas"][0]["name"]]
    assert f"{least().servers.count}" in json.dumps([c["quantity"] for c in priced])
    assert "USD a month, estimated" in result.stderr
    assert "data transfer" in result.stderr
    assert "raise before the first deployment" in result.stderr


def test_a_file_that_lacks_something_is_refused(tmp_path: Path) -> None:
    result = run(written(tmp_path))
    assert result.exit_code == 2
    assert "connectivity.vpn.customer_gateway" in result.stderr
