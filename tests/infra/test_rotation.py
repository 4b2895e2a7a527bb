"""A2: passwords of the target's database change by themselves, from within the VPC, where nothing breaks by it."""

import json
from typing import Any

from crossfade.infra.reach import Party, flows
from tests.infra.templates import Templates, least, options, reference, text


def secrets(templates: Templates) -> dict[str, tuple[str, dict[str, Any]]]:
    """Id and template of the secret of each role that logs in."""
    found = {}
    for place, resource in templates.every("AWS::SecretsManager::Secret"):
        made = resource["Properties"].get("GenerateSecretString")
        if made:
            parts = made["SecretStringTemplate"]["Fn::Join"][1]
            content = json.loads("".join(part if isinstance(part, str) else "host" for part in parts))
            found[content["username"]] = (place.partition("/")[2], content)
    return found


def rotated(templates: Templates) -> dict[str, dict[str, Any]]:
    """The schedule of each role whose password changes."""
    by_secret = {text(p["SecretId"]): p for p in templates.properties("AWS::SecretsManager::RotationSchedule")}
    users = {text({"Ref": identity}): user for user, (identity, _) in secrets(templates).items()}
    return {users[secret]: schedule for secret, schedule in by_secret.items()}


def test_the_checks_password_changes_as_often_as_the_file_says(built: Templates) -> None:
    schedule = rotated(built)["crossfade_validation"]
    assert schedule["RotationRules"] == {"ScheduleExpression": "rate(30 days)"}


def test_the_password_that_the_source_holds_stays_when_replication_is_native(built: Templates) -> None:
    assert set(rotated(built)) == {"crossfade_validation"}


def test_both_passwords_change_when_dms_reads_them_from_their_secret(otherwise: Templates) -> None:
    assert set(rotated(otherwise)) == {"crossfade_validation", "crossfade_replication"}


def test_nothing_is_rotated_before_the_role_is_in_the_database(either: Templates) -> None:
    assert not any(schedule["RotateImmediatelyOnUpdate"] for schedule in rotated(either).values())


def test_rotation_runs_within_the_vpc_and_reaches_the_database_and_the_secret_only(either: Templates) -> None:
    for schedule in rotated(either).values():
        where = schedule["HostedRotationLambda"]
        assert where["RotationType"] == "PostgreSQLSingleUser"
        assert "GroupRotation" in text(where["VpcSecurityGroupIds"])
        assert text(where["VpcSubnetIds"]).count("privateSubnet") == 3
    for file in (reference(), options()):
        opened = {(f.takes, f.first_port) for f in flows(file) if f.opens is Party.ROTATION}
        assert opened == {(Party.DATABASE, 5432), (Party.ENDPOINTS, 443)}
        assert not [f for f in flows(file) if f.takes is Party.ROTATION]


def test_a_secret_has_what_rotation_and_dms_read(either: Templates) -> None:
    for _, content in secrets(either).values():
        assert content.keys() == {"engine", "username", "host", "port", "dbname"}
        assert content["engine"] == "postgres"


def test_what_rotation_logs_is_encrypted_and_ends(otherwise: Templates) -> None:
    """Lambda would make the groups itself otherwise, without a key and for ever."""
    functions = {s["HostedRotationLambda"]["RotationLambdaName"] for s in rotated(otherwise).values()}
    assert functions == {"function-rotation-replication-prod", "function-rotation-validation-prod"}
    groups = {group["LogGroupName"] for group in otherwise.properties("AWS::Logs::LogGroup")}
    assert {f"/aws/lambda/{name}" for name in functions} <= groups
    for _, schedule in otherwise.every("AWS::SecretsManager::RotationSchedule"):
        assert any("RotationLogs" in needed for needed in schedule["DependsOn"])


def test_the_administrators_password_is_rotated_by_rds(either: Templates) -> None:
    assert either.one("AWS::RDS::DBInstance")["ManageMasterUserPassword"] is True


def test_the_sources_secret_is_the_data_centers(built: Templates) -> None:
    """Nothing here makes it or changes it: only who runs the source can change the password there."""
    assert "source-database" not in text(built.properties("AWS::SecretsManager::RotationSchedule"))
    assert "source-database" not in text(built.properties("AWS::SecretsManager::Secret"))
    assert least().posture.secret_rotation_days == 30
