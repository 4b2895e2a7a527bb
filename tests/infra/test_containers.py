"""A15: the application as containers, each new version brought up beside the old one."""

from pathlib import Path

import pytest

from crossfade.infra.demands import demands, notes
from crossfade.infra.endpoints import interface_endpoints
from crossfade.infra.images import Repository, repository
from crossfade.infra.reach import Party, flows
from crossfade.infra.synthesis import synthesise
from tests.infra.granted import granted, statements
from tests.infra.templates import Templates, least, options, survivors, text

OUTSIDE = {"target__compute": "ecs", "target__containers": {"image": "registry.example/app:1"}}


def test_the_service_is_private_and_started_by_codedeploy_only(otherwise: Templates) -> None:
    service = otherwise.one("AWS::ECS::Service")
    assert service["DeploymentController"] == {"Type": "CODE_DEPLOY"}
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert text(network["Subnets"]).count("privateSubnet") == 3
    assert "GroupServers" in text(network["SecurityGroups"])
    assert service["DesiredCount"] == 6


def test_a_new_image_makes_a_revision_and_no_change_of_the_service(otherwise: Templates) -> None:
    """CloudFormation would fail to change the task definition of a service that CodeDeploy deploys."""
    assert otherwise.one("AWS::ECS::TaskDefinition")["Family"] == "task-application-prod"
    assert otherwise.one("AWS::ECS::Service")["TaskDefinition"] == "task-application-prod"


def test_versions_stand_in_two_groups_and_are_looked_at_before_users_come(otherwise: Templates) -> None:
    groups = {g["Name"]: g for g in otherwise.properties("AWS::ElasticLoadBalancingV2::TargetGroup")}
    assert set(groups) == {"target-group-blue-prod", "target-group-green-prod"}
    assert {(g["TargetType"], g["Port"], g["HealthCheckPath"]) for g in groups.values()} == {("ip", 8080, "/health")}
    leads = {
        listener["Port"]: text(listener["DefaultActions"])
        for listener in otherwise.properties("AWS::ElasticLoadBalancingV2::Listener")
    }
    assert set(leads) == {443, 8443}
    assert "GroupBlue" in leads[443]
    assert "GroupGreen" in leads[8443]
    assert all("TLS13" in x["SslPolicy"] for x in otherwise.properties("AWS::ElasticLoadBalancingV2::Listener"))
    (pair,) = otherwise.one("AWS::CodeDeploy::DeploymentGroup")["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    assert "Https" in text(pair["ProdTrafficRoute"])
    assert "Test" in text(pair["TestTrafficRoute"])
    assert len(pair["TargetGroups"]) == 2


def test_a_new_version_goes_back_by_itself_when_an_alarm_goes_off(otherwise: Templates) -> None:
    group = otherwise.one("AWS::CodeDeploy::DeploymentGroup")
    assert set(group["AutoRollbackConfiguration"]["Events"]) == {
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_REQUEST",
        "DEPLOYMENT_STOP_ON_ALARM",
    }
    watched = group["AlarmConfiguration"]
    assert watched["Enabled"] is True
    assert len(watched["Alarms"]) == 3
    for alarm in ("TargetHealth", "TargetErrors", "TargetP95"):
        assert alarm in text(watched["Alarms"])


def test_a_new_version_gets_the_ladders_first_share_and_the_old_one_is_kept_warm(otherwise: Templates) -> None:
    shift = otherwise.one("AWS::CodeDeploy::DeploymentConfig")["TrafficRoutingConfig"]
    assert shift["TimeBasedCanary"] == {"CanaryInterval": 10, "CanaryPercentage": 5}
    config = otherwise.one("AWS::CodeDeploy::DeploymentGroup")["BlueGreenDeploymentConfiguration"]
    assert config["TerminateBlueInstancesOnDeploymentSuccess"]["TerminationWaitTimeInMinutes"] == 24 * 60


@pytest.mark.parametrize(
    ("blue", "green", "goes_off"),
    [(2, None, False), (None, 2, False), (0, 2, False), (0, None, True), (0, 0, True), (None, None, False)],
)
def test_health_is_that_of_the_version_which_users_are_led_to_and_silence_is_no_illness(
    otherwise: Templates, blue: int | None, green: int | None, *, goes_off: bool
) -> None:
    (alarm,) = [
        a for a in otherwise.properties("AWS::CloudWatch::Alarm") if a["AlarmName"] == "alarm-target-health-prod"
    ]
    counted = {one["Id"]: text(one) for one in alarm["Metrics"] if "MetricStat" in one}
    assert "GroupBlue" in counted["blue"]
    assert "GroupGreen" in counted["green"]
    (expression,) = (one["Expression"] for one in alarm["Metrics"] if "Expression" in one)
    functions = {"ABS": abs, "MAX": max, "FILL": lambda value, other: other if value is None else value}
    healthy = eval(expression, functions, {"blue": blue, "green": green})
    assert (healthy < alarm["Threshold"]) is goes_off


def test_route_53_checks_an_alarm_of_one_metric(either: Templates) -> None:
    """It looks at no alarm over several, nor at percentiles."""
    (check,) = either.properties("AWS::Route53::HealthCheck")
    (name,) = [
        alarm["AlarmName"]
        for place, resource in either.every("AWS::CloudWatch::Alarm")
        if (alarm := resource["Properties"]) and place.partition("/")[2][:-8] in text(check)
    ]
    alarm = next(a for a in either.properties("AWS::CloudWatch::Alarm") if a["AlarmName"] == name)
    assert alarm["MetricName"]
    assert alarm["Statistic"] == "Minimum"
    assert alarm["TreatMissingData"] == "missing"


def test_the_container_itself_may_do_nothing(otherwise: Templates) -> None:
    assert statements(otherwise, "role-container") == []


def test_starting_it_may_pull_one_repository_and_read_its_own_secrets(otherwise: Templates) -> None:
    said = {s["Sid"]: s for s in statements(otherwise, "role-container-start")}
    assert "repository/ledger/application" in text(said["PullTheImage"]["Resource"])
    assert "ledger/application-database-??????" in text(said["ReadItsSecrets"]["Resource"])
    assert set(said) == {"WriteLogs", "PullTheImage", "LogInToTheRegistry", "ReadItsSecrets"}


def test_secrets_of_the_application_stand_in_no_template(otherwise: Templates) -> None:
    (container,) = otherwise.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert [s["Name"] for s in container["Secrets"]] == ["DATABASE_URL"]
    assert container["Environment"] == [{"Name": "LOG_LEVEL", "Value": "info"}]


def test_codedeploy_changes_one_service_and_two_listeners(otherwise: Templates) -> None:
    said = {s["Sid"]: s for s in statements(otherwise, "role-deployment")}
    assert text(said["ChangeItsVersion"]["Resource"]).count("cluster-prod/service-application-prod") == 2
    assert len(said["LeadUsers"]["Resource"]) == 2
    assert said["StartAsTheContainer"]["Condition"]["StringEquals"]["iam:PassedToService"] == "ecs-tasks.amazonaws.com"
    changing = {a for a in granted(otherwise, "role-deployment") if ":Describe" not in a}
    assert changing == {
        "ecs:CreateTaskSet",
        "ecs:DeleteTaskSet",
        "ecs:UpdateServicePrimaryTaskSet",
        "elasticloadbalancing:ModifyListener",
        "iam:PassRole",
    }


def test_what_cloudwatch_gathers_of_containers_ends_and_is_encrypted(otherwise: Templates) -> None:
    groups = {group["LogGroupName"] for group in otherwise.properties("AWS::Logs::LogGroup")}
    assert "/aws/ecs/containerinsights/cluster-prod/performance" in groups
    assert otherwise.one("AWS::ECS::Cluster")["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enabled"}]


def test_the_data_center_reaches_the_listener_for_looking_first() -> None:
    ports = {f.first_port for f in flows(options()) if f.takes is Party.LOAD_BALANCER}
    assert ports == {443, 8443}
    assert {"ecr.api", "ecr.dkr"} <= set(interface_endpoints(options()))


def test_no_servers_wait_for_requests_where_containers_take_them(built: Templates, otherwise: Templates) -> None:
    types = [g["TargetType"] for g in otherwise.properties("AWS::ElasticLoadBalancingV2::TargetGroup")]
    assert "instance" not in types
    assert built.properties("AWS::ECS::Service") == []


def test_everybody_moves_at_once_when_the_file_says_blue_green(tmp_path: Path) -> None:
    blue_green = {"traffic__strategy": "blue-green", "traffic__blue_green": {"promote_automatically": False}}
    login = {"target__release_secret": "secretsmanager:registry"}
    synthesise(least(**OUTSIDE, **blue_green, **login), tmp_path / "cdk.out", review=True)
    made = Templates(tmp_path / "cdk.out")
    group = made.one("AWS::CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    ready = group["BlueGreenDeploymentConfiguration"]["DeploymentReadyOption"]
    assert ready == {"ActionOnTimeout": "STOP_DEPLOYMENT", "WaitTimeInMinutes": 48 * 60}
    (container,) = made.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert "registry" in text(container["RepositoryCredentials"])
    assert made.properties("AWS::EC2::NatGateway"), "the registry is outside AWS"
    assert "ecr:BatchGetImage" not in granted(made, "role-container-start")
    assert survivors(made) == []


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b:1", ("123456789012", "us-east-1", "a/b")),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app", ("123456789012", "eu-west-1", "app")),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/app@sha256:00ff", ("123456789012", "us-east-1", "app")),
        ("registry.example/app:1", None),
        ("registry.example/123456789012.dkr.ecr.us-east-1.amazonaws.com/app", None),
        ("app", None),
    ],
)
def test_an_image_lies_on_aws_when_its_registry_does(image: str, place: tuple[str, str, str] | None) -> None:
    found = repository(image)
    assert found == (Repository(account=place[0], region=place[1], name=place[2]) if place else None)


def test_what_containers_cannot_be_started_with_is_told_with_its_place() -> None:
    file = least(
        target__compute="ecs",
        target__containers={"image": "app", "test_port": 443, "secrets": {"A": "env:A", "B": "secretsmanager:b"}},
        target__release_secret="file:/login",
    )
    assert {demand.path for demand in demands(file)} == {
        ("target", "containers", "secrets", "A"),
        ("target", "containers", "test_port"),
        ("target", "release_secret"),
    }


def test_one_service_takes_every_tiers_requests_and_that_is_told() -> None:
    assert any("every tier" in note for note in notes(options()))
    assert not any("every tier" in note for note in notes(least(**OUTSIDE)))
