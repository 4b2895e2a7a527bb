import json
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from crossfade.cli.manifests import manifests
from crossfade.infra.premises.errors import DocumentsDiffer
from tests.model.file.files import with_values

READY = {"target__containers__image": "ledger:2", "kubernetes__prometheus": "http://prometheus:9090"}


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(manifests)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def written(folder: Path, **changes: object) -> Path:
    path = folder / "migration.yaml"
    path.write_text(with_values(**changes), encoding="utf-8")
    return path


def test_manifests_are_written_and_told_when_the_file_lacks_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(written(tmp_path, **READY), "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout.splitlines()[-1])
    assert sorted(answer["files"]) == sorted(path.name for path in out.iterdir())
    assert all(list(yaml.safe_load_all((out / name).read_text(encoding="utf-8"))) for name in answer["files"])
    assert "rollout.yaml" in result.stderr


def test_all_that_is_missing_is_told_with_its_place_and_nothing_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, kubernetes__routing="istio")
    result = run(path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "3 faults" in result.stderr
    line = next(i for i, line in enumerate(path.read_text().splitlines(), start=1) if "kubernetes:" in line)
    assert f"{path}:{line}:" in result.stderr
    assert not (tmp_path / "out").exists()


def test_what_somebody_changed_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path, out = written(tmp_path, **READY), tmp_path / "out"
    assert run(path, "--out", out).exit_code == 0
    assert run(path, "--out", out).exit_code == 0
    (out / "rollout.yaml").write_text("mine\n", encoding="utf-8")
    (out / "services.yaml").unlink()
    refused = run(path, "--out", out)
    assert isinstance(refused.exception, DocumentsDiffer)
    assert (out / "rollout.yaml").read_text(encoding="utf-8") == "mine\n"
    assert not (out / "services.yaml").exists()
    assert run(path, "--out", out, "--replace").exit_code == 0
    assert "kind: Rollout" in (out / "rollout.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("changes", [{"servers__count": 0}, {"kubernetes__prometheus": "http://user:word@host"}])
def test_faults_of_the_file_come_first(tmp_path: Path, changes: dict[str, object]) -> None:
    result = run(written(tmp_path, **READY | changes), "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()
    assert "user:word" not in result.stderr
