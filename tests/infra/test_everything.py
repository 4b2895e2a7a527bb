"""A16: what holds for every resource of the reference case."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crossfade.infra.constructs.cloudendure import LOOKS as CLOUDENDURE_LOOKS
from crossfade.infra.constructs.mgn import MGN_LOOKS
from crossfade.infra.findings import REPORT, findings
from crossfade.infra.stacks.containers import CODE_DEPLOY_LOOKS
from crossfade.infra.stacks.servers import AGENT_CHANNELS
from crossfade.infra.stacks.tools import REGISTER
from tests.infra.granted import client
from tests.infra.templates import Templates, survivors, text

SUFFIX = "prod"
NAMED = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::DMS::Endpoint": "EndpointIdentifier",
    "AWS::DMS::ReplicationInstance": "ReplicationInstanceIdentifier",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::Events::EventBus": "Name",
    "AWS::KMS::Alias": "AliasName",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
}
UNLINTED = {
    "W3010": "the file names the zones, so that subnets and capacity are where the people asked for them",
    "W3005": "CDK orders functions after the policies of their roles, which costs nothing",
}
WITHOUT_RESOURCE = {
    "cloudwatch:DescribeAlarms": "composite alarms are told only to a permission for every alarm",
    "cloudwatch:PutMetricData": "metrics are no resource; a condition confines the namespace",
    **dict.fromkeys(AGENT_CHANNELS, "an agent's channels are no resources"),
    **dict.fromkeys((*CLOUDENDURE_LOOKS, *MGN_LOOKS, *CODE_DEPLOY_LOOKS), "what describes and lists has no resource"),
    "mgn:DescribeReplicationConfigurationTemplates": "lists are no resource",
    "mgn:CreateReplicationConfigurationTemplate": "it is not there before; a condition demands our tags",
    "mgn:TagResource": "as it is made; a condition demands our tags",
    "ecr:GetAuthorizationToken": "a login is no resource",
    "dynamodb:ListStreams": "lists are no resource",
    REGISTER: "an agent is no resource before it is registered",
    "ssm:ListCommands": "lists are no resource",
    "ssm:ListCommandInvocations": "lists are no resource",
}
"""Actions for which IAM knows no narrower resource. Source: service authorization reference."""
CHANNELS = {"ec2messages", "ssmmessages"}
"""Services without a public interface."""
SERVICES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
"""How botocore names what IAM names otherwise."""
PERMISSIONS_ONLY = {
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "lambda:InvokeFunction",
    "iam:PassRole",
    "ssm:PutComplianceItems",
    "ssm:GetManifest",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:ListInstanceAssociations",
    "ssm:UpdateInstanceInformation",
    REGISTER,
}
"""Permissions that are no call of the same name. Source: service authorization reference."""
COUNTED = {"reference": 42, "otherwise": 59}
"""Acknowledged findings of both cases; one in three packs counts once."""
OF_CDK = re.compile(
    r"Custom(Vpc|S3)\w*Provider|/\w*(Function|frameworkonEvent)\w*/Properties/Role|/DeploymentConfigName"
)


def test_both_cases_pass_the_reviewers(either: Templates) -> None:
    """The synthesis itself held it to four packs; nothing was left."""
    assert findings(either.folder) == ()
    report = json.loads((either.folder / REPORT).read_text(encoding="utf-8"))
    packs = {plugin["pluginName"] for plugin in report["pluginReports"]}
    assert {"AwsSolutions", "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"} <= packs or not packs


@pytest.mark.parametrize(("kind", "attribute"), NAMED.items())
def test_names_end_with_the_suffix(either: Templates, kind: str, attribute: str) -> None:
    named = either.properties(kind)
    assert named
    for properties in named:
        name = text(properties[attribute]).rstrip('"]} ').removesuffix('"')
        assert name.endswith(f"-{SUFFIX}"), name


def test_stacks_end_with_the_suffix(built: Templates) -> None:
    manifest = json.loads((built.folder / "manifest.json").read_text(encoding="utf-8"))
    names = [
        a["properties"].get("stackName", "")
        for a in manifest["artifacts"].values()
        if a["type"] == "aws:cloudformation:stack"
    ]
    assert names
    assert all(name.endswith(f"-{SUFFIX}") for name in names)


def test_resources_carry_whose_they_are_and_who_pays(built: Templates) -> None:
    for kind in ("AWS::KMS::Key", "AWS::DynamoDB::Table", "AWS::RDS::DBInstance", "AWS::SNS::Topic", "AWS::EC2::VPC"):
        for properties in built.properties(kind):
            tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
            assert tags["owner"] == "Core Banking Platform"
            assert tags["cost-center"] == "cc-4711"
            assert tags["environment"] == SUFFIX


def test_keys_rotate_as_the_file_says(either: Templates) -> None:
    keys = either.properties("AWS::KMS::Key")
    assert len(keys) >= 5
    assert all(key["EnableKeyRotation"] and key["RotationPeriodInDays"] == 365 for key in keys)


def test_a_key_is_used_by_services_only_for_what_is_ours(either: Templates) -> None:
    for key in either.properties("AWS::KMS::Key"):
        for statement in key["KeyPolicy"]["Statement"]:
            service = statement["Principal"].get("Service")
            assert service is None or statement.get("Condition"), statement
            assert statement["Principal"] != "*"


def test_every_log_group_is_encrypted_and_ends(either: Templates) -> None:
    groups = either.properties("AWS::Logs::LogGroup")
    assert len(groups) >= 7
    assert all(group["RetentionInDays"] == 30 and group["KmsKeyId"] for group in groups)


def test_nothing_survives_a_destruction(either: Templates) -> None:
    assert survivors(either) == []


def test_survivors_are_found_when_there_are_any(tmp_path: Path) -> None:
    kept = {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain"}
    saved = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot", "Properties": {"DeletionProtection": True}}
    full = {"Type": "AWS::S3::Bucket", "Properties": {}}
    template = {"Resources": {"Kept": kept, "Saved": saved, "Full": full}}
    (tmp_path / "one.template.json").write_text(json.dumps(template), encoding="utf-8")
    assert len(survivors(Templates(tmp_path))) == 4


def test_no_policy_of_ours_grants_a_whole_service_or_any_resource_without_need(either: Templates) -> None:
    for place, policy in either.every("AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any("*" in action for action in actions), place
            assert statement["Resource"] != "*" or set(actions) <= set(WITHOUT_RESOURCE), place
            assert statement["Sid"]


def test_every_action_that_is_granted_exists(either: Templates) -> None:
    """A word that a service does not know grants nothing, and is seen only when the migration needs it."""
    known: dict[str, set[str]] = {}
    for _, policy in either.every("AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            for action in [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]:
                if action in PERMISSIONS_ONLY or action.split(":")[0] in CHANNELS:
                    continue
                prefix, _, operation = action.partition(":")
                service = SERVICES.get(prefix, prefix)
                if service not in known:
                    known[service] = set(client(service).meta.service_model.operation_names)
                assert operation in known[service], action


def test_services_take_roles_only_on_behalf_of_this_account(either: Templates) -> None:
    """No confused deputy. Some send no source account: Lambda, EC2, and DMS when it reads a secret."""
    without = set()
    for _, role in either.every("AWS::IAM::Role"):
        if "AssumeRolePolicyDocument" in role["Properties"] and "RoleName" in role["Properties"]:
            for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                if not statement.get("Condition") and "Service" in statement["Principal"]:
                    without.add(statement["Principal"]["Service"])
    assert without == {"lambda.amazonaws.com", "dms.us-east-1.amazonaws.com", "ec2.amazonaws.com"}


def test_cloudformation_finds_no_fault(built: Templates, otherwise: Templates) -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    by_name = {path.name: path.read_bytes() for path in built.paths()}
    differing = [path for path in otherwise.paths() if path.read_bytes() != by_name.get(path.name)]
    paths = [str(path) for path in (*built.paths(), *differing)]
    told = subprocess.run(
        [str(program), "--format", "json", "--regions", "us-east-1", "--template", *paths],
        capture_output=True,
        check=False,
        text=True,
    )
    left = [
        f"{fault['Rule']['Id']} {fault['Message']}"
        for fault in json.loads(told.stdout or "[]")
        if fault["Rule"]["Id"] not in UNLINTED
        or (fault["Rule"]["Id"] == "W3005" and not OF_CDK.search(fault["Message"]))
    ]
    assert left == []
    assert told.stderr == ""


def acknowledged(built: Templates) -> list[tuple[str, str, str]]:
    """Place, rule and reason of each finding that a reviewer is asked to accept."""
    return [
        (place, rule, reason)
        for stack in built.stacks()
        for place, entries in json.loads((built.folder / f"{stack}.metadata.json").read_text(encoding="utf-8")).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
        if not rule.startswith("CloudFormation-Validate::")  # CDK's own word for zones that are named
    ]


def test_acknowledgements_are_counted_and_say_why(either: Templates) -> None:
    """Each stands beside its resource; one more changes the number, and with it somebody's mind."""
    told = acknowledged(either)
    assert all(place.strip("/").count("/") >= 1 for place, _, _ in told), "none for a whole stack"
    assert all(len(reason) >= 40 for _, _, reason in told)
    counted = {(place, rule.rpartition("-")[2] if "IAM" not in rule else rule) for place, rule, _ in told}
    assert len(counted) == COUNTED[either.folder.parent.name]


def test_every_acknowledged_rule_is_known_to_a_pack(either: Templates) -> None:
    assert {rule.partition("::")[0] for _, rule, _ in acknowledged(either)} == {
        "AwsSolutions",
        "HIPAA.Security",
        "NIST.800.53.R5",
        "PCI.DSS.321",
    }
