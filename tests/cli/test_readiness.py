"""`crossfade readiness`: as people call it."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from tests.planning.inventory.exports import SAMPLES, SMALL, written

SMALL_FILE = Path(__file__).parents[1] / "data" / "small.yaml"
SERVERS = (
    "record,name,applications,operating_system,disk_used_mib,owner",
    "server,web1,Shop,Ubuntu 24.04,1000,Ann",
    "server,crm1,Crm,CentOS 6,1000,",
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["readiness", *map(str, arguments)])


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def planned(tmp_path: Path, planning: str) -> Path:
    path = tmp_path / "migration.yaml"
    path.write_text(f"{SMALL_FILE.read_text()}\nplanning:\n{planning}")
    return path


def test_each_factor_comes_with_weight_points_value_and_reason(tmp_path: Path) -> None:
    result = run(written(tmp_path / "all.csv", *SERVERS), "--on", "2026-11-22", "--json")
    told = last(result)
    assert (result.exit_code, told["on"]) == (0, "2026-11-22")
    crm, shop = told["applications"]
    assert (crm["application"], shop["application"]) == ("Crm", "Shop")
    assert crm["score"] < shop["score"]
    system = crm["factors"][0]
    assert (system["factor"], system["weight"], system["points"]) == ("operating-system", 20, 20)
    assert "CentOS 6, support ended 2020-11-30" in system["value"]
    assert all(factor["reason"] for factor in crm["factors"])


def test_weights_and_what_stays_come_from_the_migration_file(tmp_path: Path) -> None:
    source = written(tmp_path / "all.csv", *SERVERS)
    file = planned(tmp_path, "  readiness_weights: {owner: 400}\n  out_of_scope: [crm]\n")
    told = last(run(source, "--file", file, "--json"))
    assert told["weights"]["owner"] == 400
    assert told["weights"]["size"] == 15
    assert [each["application"] for each in told["applications"]] == ["Shop"]


def test_a_weight_of_no_factor_is_a_fault_of_the_file_with_its_place(tmp_path: Path) -> None:
    file = planned(tmp_path, "  readiness_weights: {owners: 4, sise: 2}\n")
    result = run(SMALL, "--file", file)
    assert result.exit_code == 2
    assert result.stderr.count("is no factor of readiness") == 2
    assert "planning.readiness_weights" in result.stderr


def test_weights_that_are_all_nought_are_a_fault(tmp_path: Path) -> None:
    names = "operating-system database-engine database-version size churn outside-dependencies licences fixed-addresses"
    weights = ", ".join(f"{name}: 0" for name in [*names.split(), "owner"])
    result = run(SMALL, "--file", planned(tmp_path, f"  readiness_weights: {{{weights}}}\n"))
    assert result.exit_code == 2
    assert "weighs nothing" in result.stderr


def test_people_see_the_factors_of_an_application_that_they_name(tmp_path: Path) -> None:
    result = run(written(tmp_path / "all.csv", *SERVERS), "--application", "shop", "--on", "2026-11-22")
    assert result.exit_code == 0
    assert "fixed-addresses" in result.stderr
    assert "Crm" not in result.stderr


def test_an_application_that_there_is_not_ends_with_2(tmp_path: Path) -> None:
    result = run(written(tmp_path / "all.csv", *SERVERS), "--application", "Shap", "--application", "Crm")
    assert result.exit_code == 2
    assert "there is no application Shap" in result.stderr


def test_an_export_of_a_hypervisor_alone_does_not_make_ready() -> None:
    result = run(SAMPLES / "rvtools" / "rvtools-small-complete.xlsx", "--json")
    assert {each["level"] for each in last(result)["applications"]} == {"not known"}
