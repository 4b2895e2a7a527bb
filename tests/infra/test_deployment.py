"""The reference case, really deployed to AWS on this computer, rolled back there by an alarm, and destroyed again.

The tests share one deployment and stand in the order of its life.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli import synth
from crossfade.cli.deploy import deploy
from crossfade.cli.destroy import destroy
from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.deployment import actions
from crossfade.infra.deployment.boto import BotoAccount
from crossfade.infra.deployment.commandline import command_line
from crossfade.infra.deployment.errors import DeploymentFailed, NotReady, Obstacle
from crossfade.infra.deployment.readiness import BOOTSTRAP_PARAMETER
from crossfade.infra.reduction import reduced
from crossfade.infra.synthesis import synthesise
from crossfade.model.file import MigrationFile
from tests.infra.ministack import ACCOUNT, REGION, Ministack, ministack, supported_types
from tests.infra.templates import Templates, reference, text
from tests.model.file.published import EXAMPLE
from tests.waiting import wait_for

pytestmark = [pytest.mark.parts, pytest.mark.timeout(900)]  # the first waits for a synthesis and a deployment

NO_METRIC_MATH = "AWS::CloudWatch::Alarm.Metrics"
NO_SDK_FOR_NODE = ("Custom::S3AutoDeleteObjects", "Custom::VpcRestrictDefaultSG")
"""Their functions are the CDK's, for Node and its SDK, which only the real Lambda brings along."""
NO_MGN = "Custom::ReplicationTemplate"
"""Its function runs there, and asks MGN, which ministack does not have."""
SECRET = "ledger/source-database"
RECORD = "app.ledger.internal."


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    with ministack(tmp_path_factory.mktemp("ministack")) as started, environment(started):
        yield started


@contextmanager
def environment(cloud: Ministack) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        for name, value in cloud.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    """The reference case, synthesised once; the commands are given copies of it."""
    made = synthesise(reference(), tmp_path_factory.mktemp("whole") / "cdk.out")

    def copied(file: MigrationFile, folder: Path, *, without: tuple[str, ...], **_: object) -> Assembly:
        assert file == reference()
        shutil.copytree(made.folder, folder, dirs_exist_ok=True)
        copy = replace(made, folder=folder)
        return reduced(copy, without) if without else copy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synth, "synthesise", copied)
        yield Templates(made.folder)


@pytest.fixture(scope="module")
def lacking(whole: Templates) -> list[str]:
    """What ministack cannot have of the reference case, worked out from the version that is installed."""
    used = {resource["Type"] for _, resource in whole.every()}
    types = sorted(kind for kind in used - supported_types() if not kind.startswith("Custom::"))
    return [*types, NO_METRIC_MATH, NO_MGN, *NO_SDK_FOR_NODE]


def run(command: Any, *arguments: object) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(EXAMPLE), *map(str, arguments)])


def bootstrap(cloud: Ministack) -> None:
    line = command_line(REGION)
    arguments = [line.node, str(line.program), "bootstrap", f"aws://{ACCOUNT}/{REGION}", "--no-notices"]
    done = subprocess.run(arguments, cwd=cloud.home, env=line.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Deployment:
    answer: dict[str, Any]
    assembly: Assembly
    said: str
    refused_before: tuple[Obstacle, ...]
    """Why it could not begin before the account was bootstrapped and had the secret."""


@pytest.fixture(scope="module")
def deployed(cloud: Ministack, lacking: list[str], tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    out = tmp_path_factory.mktemp("deployed") / "cdk.out"
    options = [word for kind in lacking for word in ("--without", kind)]
    result = run(deploy, "--out", out, *options)
    refused = result.exception
    assert isinstance(refused, NotReady)
    bootstrap(cloud)
    cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString="{}")
    result = run(deploy, "--out", out, "--json", *options)
    assert result.exit_code == 0, f"{result.exception!r}\n{result.stderr}"
    answer = json.loads(result.stdout.splitlines()[-1])
    stacks = tuple(
        Stack(name=s["name"], template=f"{s['name'].removesuffix('-prod')}.template.json", resources=0, needs=())
        for s in answer["stacks"]
    )
    return Deployment(answer, Assembly(folder=out, stacks=stacks, seconds=0), result.stderr, refused.obstacles)


def test_it_does_not_begin_before_the_account_is_ready(deployed: Deployment) -> None:
    problems = [one.problem for one in deployed.refused_before]
    assert len(problems) == 2
    assert "is not bootstrapped" in problems[0]
    assert SECRET in problems[1]


def test_an_account_tells_what_it_has(cloud: Ministack, deployed: Deployment) -> None:
    account = BotoAccount(REGION)
    assert account.identity().account == ACCOUNT
    assert (account.bootstrap_version(BOOTSTRAP_PARAMETER) or 0) > 20
    assert account.has_secret(SECRET)
    assert not account.has_secret("nobody/has-this")
    assert account.in_use("AWS::EC2::VPC") == len(cloud.client("ec2").describe_vpcs()["Vpcs"])
    assert account.in_use("AWS::EC2::VPNConnection") == 0
    network = account.stacks()["network-prod"]
    assert network.status == "CREATE_COMPLETE"
    assert network.tags["migration"] == "ledger"


def test_every_stack_stands_but_those_that_lost_everything(cloud: Ministack, deployed: Deployment) -> None:
    stacks = {stack["name"]: stack["outcome"] for stack in deployed.answer["stacks"]}
    assert set(stacks.values()) == {"deployed"}
    assert len(stacks) >= 10
    assert {"network-prod", "data-prod", "dns-prod", "events-prod", "rollback-prod"} <= stacks.keys()
    there = {s["StackName"]: s["StackStatus"] for s in cloud.client("cloudformation").describe_stacks()["Stacks"]}
    assert {there[name] for name in stacks} == {"CREATE_COMPLETE"}


def test_what_ministack_lacks_is_told_and_nothing_else_is_missing(
    cloud: Ministack, whole: Templates, lacking: list[str], deployed: Deployment
) -> None:
    left_out = deployed.answer["left_out"]
    sys.stdout.writelines(f"{one['stack']}/{one['resource']} {one['type']} {one['because_of']}\n" for one in left_out)
    assert all(f"left out: {one['stack']}/{one['resource']}, {one['type']}" in deployed.said for one in left_out)
    assert {one["type"] for one in left_out if one["because_of"] is None} == {kind.split(".")[0] for kind in lacking}
    client = cloud.client("cloudformation")
    there = {
        f"{stack['name'].removesuffix('-prod')}/{resource['LogicalResourceId']}"
        for stack in deployed.answer["stacks"]
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack["name"])
        for resource in page["StackResourceSummaries"]
    }
    gone = {f"{one['stack'].removesuffix('-prod')}/{one['resource']}" for one in left_out}
    assert there | gone == {place for place, _ in whole.every()}
    assert not there & gone


def test_nothing_differs_once_it_is_deployed(deployed: Deployment) -> None:
    found = actions.compare(command_line(REGION), deployed.assembly, deployed.assembly.stacks)
    assert found == {stack.name: [] for stack in deployed.assembly.stacks}


def test_what_has_not_changed_is_left_alone(deployed: Deployment) -> None:
    dns = tuple(stack for stack in deployed.assembly.stacks if stack.kind == "dns")
    again = actions.deploy(command_line(REGION), deployed.assembly, dns, lambda _: None)
    assert again.outcomes == {"dns-prod": "unchanged"}


@dataclass(frozen=True)
class Rehearsed:
    """The parts of the roll back, as the stacks have made them."""

    cloud: Ministack
    zone: str
    people: str
    """A queue that has subscribed to the topic for errors."""

    def weights(self) -> dict[str, int]:
        return {record["SetIdentifier"]: record["Weight"] for record in self._records()}

    def lead(self, source: int, target: int) -> None:
        wanted = {"source": source, "target": target}
        changes = [
            {"Action": "UPSERT", "ResourceRecordSet": {**record, "Weight": wanted[record["SetIdentifier"]]}}
            for record in self._records()
        ]
        self.cloud.client("route53").change_resource_record_sets(
            HostedZoneId=self.zone, ChangeBatch={"Changes": changes}
        )
        assert self.weights() == wanted

    def writes(self, writer: str) -> None:
        item = {"migration": {"S": "ledger"}, "item": {"S": "state"}, "writer": {"S": writer}}
        self.cloud.client("dynamodb").put_item(TableName="table-tracking-prod", Item=item)

    def recorded(self) -> list[dict[str, Any]]:
        asked = {":m": {"S": "ledger"}, ":a": {"S": "alarm#"}}
        page = self.cloud.client("dynamodb").query(
            TableName="table-tracking-prod",
            IndexName="latest-events",
            KeyConditionExpression="event_of = :m AND begins_with(#p, :a)",
            ExpressionAttributeNames={"#p": "position"},
            ExpressionAttributeValues=asked,
        )
        return [{name: value["S"] for name, value in item.items()} for item in page["Items"]]

    def told(self) -> list[str]:
        """What the function has told people, and not told before."""
        queue = self.cloud.client("sqs")
        found = []
        while messages := queue.receive_message(QueueUrl=self.people, MaxNumberOfMessages=10).get("Messages", []):
            found += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                queue.delete_message(QueueUrl=self.people, ReceiptHandle=message["ReceiptHandle"])
        return [one["Message"] for one in found if one["Subject"].startswith("ledger: ")]

    def healthy_hosts(self, count: float) -> None:
        alarms = self.cloud.client("cloudwatch")
        (alarm,) = alarms.describe_alarms(AlarmNames=["alarm-target-health-prod"])["MetricAlarms"]
        sample = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": count}
        alarms.put_metric_data(Namespace=alarm["Namespace"], MetricData=[{**sample, "Timestamp": datetime.now(UTC)}])

    def state(self, name: str) -> str:
        answer = self.cloud.client("cloudwatch").describe_alarms(
            AlarmNames=[name], AlarmTypes=["CompositeAlarm", "MetricAlarm"]
        )
        found = [*answer["CompositeAlarms"], *answer["MetricAlarms"]]
        return str(found[0]["StateValue"])

    def deliver(self, at: datetime, *, times: int = 1) -> None:
        """An alarm as CloudWatch publishes it, to the topic that the function has subscribed to."""
        said = {
            "AlarmName": "alarm-rollback-prod",
            "NewStateValue": "ALARM",
            "NewStateReason": "delivered by a test",
            "StateChangeTime": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
        }
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic-rollback-prod"
        for _ in range(times):
            self.cloud.client("sns").publish(TopicArn=topic, Message=json.dumps(said))

    def handled(self) -> int:
        """How often the function has run to its end."""
        logs = self.cloud.client("logs")
        group = "/aws/lambda/function-rollback-prod"
        events = logs.filter_log_events(logGroupName=group, limit=10_000)["events"]
        return sum(event["message"].startswith("REPORT") for event in events)

    def _records(self) -> list[dict[str, Any]]:
        found = self.cloud.client("route53").list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return [record for record in found if record["Name"] == RECORD and "Weight" in record]


@pytest.fixture(scope="module")
def rehearsed(cloud: Ministack, whole: Templates, deployed: Deployment) -> Rehearsed:
    (zone,) = cloud.client("route53").list_hosted_zones()["HostedZones"]
    queue = cloud.client("sqs").create_queue(QueueName="people")["QueueUrl"]
    arn = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    errors = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic-error-prod"
    cloud.client("sns").subscribe(TopicArn=errors, Protocol="sqs", Endpoint=arn)
    _put_composite(cloud, whole)
    return Rehearsed(cloud, zone["Id"].rpartition("/")[2], queue)


def _put_composite(cloud: Ministack, whole: Templates) -> None:
    """Ministack has composite alarms, but not in CloudFormation: ours, over those of its reasons that stand there."""
    ours = whole.one("AWS::CloudWatch::CompositeAlarm")
    exports = {
        export["Name"]: export["Value"]
        for page in cloud.client("cloudformation").get_paginator("list_exports").paginate()
        for export in page["Exports"]
    }
    imports = [part["Fn::ImportValue"] for part in ours["AlarmRule"]["Fn::Join"][1] if isinstance(part, dict)]
    standing = [exports[name] for name in imports if name in exports]
    assert any("alarm-target-health-prod" in arn for arn in standing)
    sys.stdout.writelines(f"no reason to roll back there: {name}\n" for name in imports if name not in exports)
    cloud.client("cloudwatch").put_composite_alarm(
        AlarmName=ours["AlarmName"],
        AlarmRule=" OR ".join(f'ALARM("{arn}")' for arn in standing),
        AlarmActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:topic-rollback-prod"],
    )
    assert text(ours["AlarmActions"]).count("Ref") >= 1


def test_an_alarm_that_goes_off_leads_everybody_back_and_is_recorded_and_told(rehearsed: Rehearsed) -> None:
    rehearsed.writes("source")
    rehearsed.lead(191, 64)
    rehearsed.healthy_hosts(0)
    assert rehearsed.state("alarm-rollback-prod") == "ALARM"
    wait_for(lambda: rehearsed.weights() == {"source": 255, "target": 0})
    wait_for(rehearsed.recorded)
    (event,) = rehearsed.recorded()
    assert event["did"] == "moved"
    assert "alarm-target-health-prod" in event["reason"]
    wait_for(lambda: rehearsed.handled() == 1)
    (said,) = rehearsed.told()
    assert "Everybody is led back to the source." in said


def test_an_alarm_that_is_delivered_twice_is_recorded_and_told_once(rehearsed: Rehearsed) -> None:
    before, handled = len(rehearsed.recorded()), rehearsed.handled()
    rehearsed.told()
    rehearsed.lead(191, 64)
    rehearsed.deliver(datetime.now(UTC), times=2)
    wait_for(lambda: rehearsed.handled() >= handled + 2)
    assert rehearsed.weights() == {"source": 255, "target": 0}
    assert len(rehearsed.recorded()) == before + 1
    assert len(rehearsed.told()) == 1


def test_nothing_changes_when_everybody_is_on_the_source_already(rehearsed: Rehearsed) -> None:
    handled = rehearsed.handled()
    rehearsed.told()
    rehearsed.lead(200, 0)
    rehearsed.deliver(datetime.now(UTC))
    wait_for(lambda: rehearsed.handled() >= handled + 1)
    assert rehearsed.weights() == {"source": 200, "target": 0}
    assert {event["did"] for event in rehearsed.recorded()} == {"moved", "already"}
    assert len(rehearsed.told()) == 1


def test_users_stay_where_they_are_when_the_target_takes_the_writes(rehearsed: Rehearsed) -> None:
    handled = rehearsed.handled()
    rehearsed.told()
    rehearsed.lead(0, 255)
    rehearsed.writes("target")
    rehearsed.deliver(datetime.now(UTC))
    wait_for(lambda: rehearsed.handled() >= handled + 1)
    assert rehearsed.weights() == {"source": 0, "target": 255}
    assert "target_writes" in {event["did"] for event in rehearsed.recorded()}
    (said,) = rehearsed.told()
    assert "only the engine can fail back" in said


def test_a_type_that_is_not_there_is_told_with_the_switch_that_leaves_it_out(
    deployed: Deployment, tmp_path: Path
) -> None:
    """A template with a type of nobody's, for what CloudFormation itself says."""
    (dns,) = (stack for stack in deployed.assembly.stacks if stack.kind == "validation")
    place = deployed.assembly.folder / dns.template
    before = place.read_text(encoding="utf-8")
    changed = json.loads(before)
    changed["Resources"]["Nobody"] = {"Type": "AWS::Nobody::Has"}
    place.write_text(json.dumps(changed), encoding="utf-8")
    assets = deployed.assembly.folder / "validation.assets.json"
    assets_before = assets.read_text(encoding="utf-8")
    manifest = deployed.assembly.folder / "manifest.json"
    manifest_before = manifest.read_text(encoding="utf-8")
    (name,) = (
        key for key, asset in json.loads(assets_before)["files"].items() if asset["source"]["path"] == dns.template
    )
    for path, told in ((assets, assets_before), (manifest, manifest_before)):
        path.write_text(told.replace(name, "0" * 64), encoding="utf-8")
    try:
        with pytest.raises(DeploymentFailed, match="AWS::Nobody::Has") as raised:
            actions.deploy(command_line(REGION), deployed.assembly, (dns,), lambda _: None)
    finally:
        place.write_text(before, encoding="utf-8")
        assets.write_text(assets_before, encoding="utf-8")
        manifest.write_text(manifest_before, encoding="utf-8")
    assert "--without" in raised.value.causes[0].remedy


def test_nothing_is_left_when_it_is_destroyed(cloud: Ministack, deployed: Deployment, tmp_path: Path) -> None:
    cloud.client("cloudwatch").delete_alarms(AlarmNames=["alarm-rollback-prod"])
    result = run(destroy, "--yes", "--json", "--out", tmp_path / "cdk.out")
    assert result.exit_code == 0, f"{result.exception!r}\n{result.stderr}"
    answer = json.loads(result.stdout.splitlines()[-1])
    assert set(answer["destroyed"]) == {stack.name for stack in deployed.assembly.stacks}
    assert answer["left"] == []
    assert remaining(cloud) == []


def remaining(cloud: Ministack) -> list[str]:
    """Whatever carries our suffix, or could only be ours. The bootstrap is the account's."""
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    names = [stack["StackName"] for stack in stacks]
    names += cloud.client("dynamodb").list_tables()["TableNames"]
    names += [topic["TopicArn"] for topic in cloud.client("sns").list_topics()["Topics"]]
    names += [function["FunctionName"] for function in cloud.client("lambda").list_functions()["Functions"]]
    names += [alarm["AlarmName"] for alarm in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    names += [group["logGroupName"] for group in cloud.client("logs").describe_log_groups()["logGroups"]]
    names += [zone["Name"] for zone in cloud.client("route53").list_hosted_zones()["HostedZones"]]
    names += [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]]
    names += [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    names += cloud.client("kinesis").list_streams()["StreamNames"]
    names += [one["DBInstanceIdentifier"] for one in cloud.client("rds").describe_db_instances()["DBInstances"]]
    names += [one["LoadBalancerName"] for one in cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]]
    names += [vpc["VpcId"] for vpc in cloud.client("ec2").describe_vpcs()["Vpcs"] if not vpc.get("IsDefault")]
    bootstrap_only = ("CDKToolkit", "cdk-")
    return [name for name in names if not name.startswith(bootstrap_only)]
