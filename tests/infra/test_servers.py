"""A4: what MGN needs, and what launched servers may do."""

import json
from typing import Any

import boto3
import pytest
from botocore.validate import validate_parameters

from crossfade.infra.replication_settings import instance_types, replication_settings
from crossfade.infra.validation import of_tier
from crossfade.model.file import MigrationFile
from tests.infra.granted import statements
from tests.infra.templates import Templates, least, reference, text
from tests.infra.test_validation import ran


def settings(file: MigrationFile) -> dict[str, Any]:
    return replication_settings(file, subnet="subnet-1", group="sg-1", key_arn="arn:aws:kms:us-east-1:1:key/2")


@pytest.mark.parametrize(
    "file",
    [reference(), least(servers__staging={"private_routing": False, "bandwidth_limit": "100Mbps", "dedicated": True})],
    ids=["reference", "varied"],
)
def test_the_replication_settings_are_a_request_that_mgn_takes(file: MigrationFile) -> None:
    client = boto3.client("mgn", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    shape = client.meta.service_model.operation_model("CreateReplicationConfigurationTemplate").input_shape
    validate_parameters(settings(file), shape)


def test_servers_are_replicated_over_the_link_as_the_file_says() -> None:
    assert settings(reference())["dataPlaneRouting"] == "PRIVATE_IP"
    assert settings(reference())["createPublicIP"] is False
    assert settings(least(servers__staging__bandwidth_limit="100Mbps"))["bandwidthThrottling"] == 100
    assert instance_types(reference()) == {"web": "m6i.large", "api": "m6i.xlarge"}
    assert instance_types(least()) == {"servers": "m6i.large"}


def test_a_launched_server_must_pass_its_checks_before_it_is_cut_over(built: Templates) -> None:
    template = built.one("AWS::MGN::LaunchConfigurationTemplate")
    (action,) = template["PostLaunchActions"]["SsmDocuments"]
    assert action["SsmDocumentName"] == "document-validate-server-prod"
    assert action["MustSucceedForCutover"] is True
    assert template["TargetInstanceTypeRightSizingMethod"] == "NONE"
    assert template["AssociatePublicIpAddress"] is False


def test_servers_wait_for_the_document_that_checks_them(built: Templates) -> None:
    manifest = json.loads((built.folder / "manifest.json").read_text(encoding="utf-8"))
    assert "validation" in manifest["artifacts"]["servers"]["dependencies"]


def test_only_mgn_uses_the_volumes_key(built: Templates) -> None:
    keys = [key for key in built.properties("AWS::KMS::Key") if "MgnUses" in text(key)]
    (statements,) = [[s for s in key["KeyPolicy"]["Statement"] if s.get("Sid", "").startswith("Mgn")] for key in keys]
    assert len(statements) == 2
    for statement in statements:
        assert "AWSServiceRoleForApplicationMigrationService" in text(statement["Condition"]["ArnEquals"])
        assert "aws:PrincipalAccount" in statement["Condition"]["StringEquals"]


def test_the_metrics_agent_is_told_what_to_gather_and_where_to(built: Templates) -> None:
    """Installed alone it gathers nothing."""
    associations = {a["AssociationName"]: a for a in built.properties("AWS::SSM::Association")}
    configure = associations["association-metrics-settings-prod"]
    assert configure["Name"] == "AmazonCloudWatch-ManageAgent"
    assert configure["Parameters"]["action"] == ["configure"]
    (kept,) = [p for p in built.properties("AWS::SSM::Parameter") if "metrics-agent" in p["Name"]]
    gathered = json.loads(kept["Value"])
    files = gathered["logs"]["logs_collected"]["files"]["collect_list"]
    groups = {group["LogGroupName"] for group in built.properties("AWS::Logs::LogGroup")}
    assert {f["log_group_name"] for f in files} <= groups
    assert gathered["metrics"]["namespace"] == "CWAgent"
    (read,) = [s for s in statements(built, "role-server") if s["Sid"] == "ReadTheAgentsSettings"]
    assert text(read["Resource"]).endswith(f'parameter{kept["Name"]}"]]}}')


def test_agents_are_installed_by_people_with_a_second_factor(built: Templates) -> None:
    (role,) = [r for r in built.properties("AWS::IAM::Role") if r.get("RoleName") == "role-agent-installation-prod"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.mark.parametrize(
    ("server", "tier", "asked"),
    [
        ("ledger-web-01", "any", True),
        ("LEDGER-WEB-01", "any", True),
        ("ledger-api-01", "any", False),
        ("ledger-api-01", "web", True),
        ("ledger-web-01", "api", False),
        ("nobody-knows", "any", True),
    ],
)
def test_a_server_is_asked_what_its_tier_is_asked(server: str, tier: str, asked: bool) -> None:
    web = reference().source.tiers[0]
    script = of_tier(reference(), web, "echo asked").replace("{{ Tier }}", tier)
    code, said = ran(f"hostname() {{ echo {server}; }}\n{script}")
    assert code == 0
    assert (said == "asked\n") is asked
