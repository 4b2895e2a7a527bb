"""A15: the application as containers, of which CodeDeploy brings up each new version beside the old one."""

from collections.abc import Sequence
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.images import repository
from crossfade.infra.names import log_group_name
from crossfade.infra.reach import Party
from crossfade.infra.stacks.application import BlueGreen
from crossfade.infra.stacks.network import PRIVATE, NetworkStack, group_of
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.infra.tiers import serving_tiers
from crossfade.model.file import MigrationFile
from crossfade.model.file.texts import SecretReference
from crossfade.model.file.traffic import Strategy

_LONGEST = timedelta(days=2)
"""How long CodeDeploy waits at most, for people or before it ends a version. Source: CodeDeploy API reference."""
CODE_DEPLOY_LOOKS = (
    "cloudwatch:DescribeAlarms",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
"""What CodeDeploy looks at; none of it has resources to IAM."""


class ContainersStack(MigrationStack):
    """A cluster, one service, and CodeDeploy, which goes back by itself when one of the alarms goes off.

    The first version comes with the stack, each later one by a deployment of CodeDeploy: CloudFormation must not change
    the task definition of such a service. So the service names the family, and a new image makes a new revision of it.
    """

    def __init__(
        self,
        scope: Construct,
        file: MigrationFile,
        *,
        network: NetworkStack,
        versions: BlueGreen,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, "containers", file=file, description="containers and their deployment")
        self.key = StackKey(self, file=file, purpose="containers")
        cluster = self.named("cluster")
        self._logs = log_groups(
            self,
            file,
            self.key,
            {
                "Logs": log_group_name(file, "containers"),
                # CloudWatch would make it itself otherwise, without a key and for ever
                "Insights": f"/aws/ecs/containerinsights/{cluster}/performance",
            },
        )
        self._cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=cluster,
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        self._cluster.node.add_dependency(self._logs["Insights"])
        self._starts, self._runs = self._roles()
        self._service = self._run(network, versions)
        self._deploy(versions, alarms)

    def _roles(self) -> tuple[ServiceRole, ServiceRole]:
        """Who starts the container, and whom it runs as: that one may do nothing."""
        service = "ecs-tasks.amazonaws.com"
        starts = ServiceRole(self, "StartRole", name=self.named("role-container-start"), service=service)
        runs = ServiceRole(self, "RunRole", name=self.named("role-container"), service=service)
        starts.may("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [self._logs["Logs"].log_group_arn])
        if place := repository(self.file.target.containers.image):
            of = self.format_arn(
                service="ecr",
                account=place.account,
                region=place.region,
                resource="repository",
                resource_name=place.name,
            )
            pulls = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
            starts.may("PullTheImage", pulls, [of])
            starts.may("LogInToTheRegistry", ["ecr:GetAuthorizationToken"], ["*"])
            acknowledge(
                starts,
                "Logging in to the registry has no resource to IAM (service authorization reference); what may be "
                "pulled is one repository.",
                "AwsSolutions-IAM5[Resource::*]",
            )
        if given := self._given():
            arns = [f"{self._secret(name, of).secret_arn}-??????" for name, of in given.items()]
            starts.may("ReadItsSecrets", ["secretsmanager:GetSecretValue"], arns)
        return starts, runs

    def _given(self) -> dict[str, SecretReference]:
        """The secrets that starting the container needs, by a name for each."""
        login = {"registry": self.file.target.release_secret} if self._outside() else {}
        kept = {**login, **self.file.target.containers.secrets}
        return {name: of for name, of in kept.items() if of is not None}

    def _outside(self) -> bool:
        return repository(self.file.target.containers.image) is None

    def _secret(self, name: str, of: SecretReference) -> secrets.ISecret:
        identity = f"Secret-{name}"
        standing = self.node.try_find_child(identity)
        if standing is not None:
            return standing  # type: ignore[return-value]  # jsii knows children as constructs only
        return secrets.Secret.from_secret_name_v2(self, identity, of.name)

    def _run(self, network: NetworkStack, versions: BlueGreen) -> ecs.FargateService:
        settings = self.file.target.containers
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=self.named("task-application"),
            cpu=settings.cpu,
            memory_limit_mib=settings.memory_mib,
            execution_role=self._starts.without_policy_updates(),
            task_role=self._runs.without_policy_updates(),
        )
        if settings.environment:
            acknowledge(
                task,
                "Settings that the file writes out and that are no secrets; those are references, under "
                "target.containers.secrets.",
                "AwsSolutions-ECS2",
            )
        login = self.file.target.release_secret if self._outside() else None
        task.add_container(
            "Application",
            container_name=_CONTAINER,
            image=ecs.ContainerImage.from_registry(
                settings.image, credentials=self._secret("registry", login) if login else None
            ),
            environment=settings.environment or None,
            secrets={
                name: ecs.Secret.from_secrets_manager(self._secret(name, of)) for name, of in settings.secrets.items()
            }
            or None,
            port_mappings=[ecs.PortMapping(container_port=serving_tiers(self.file)[0].port)],
            logging=ecs.LogDriver.aws_logs(stream_prefix=_CONTAINER, log_group=self._logs["Logs"]),
            stop_timeout=cdk.Duration.seconds(min(120, int(self.file.traffic.drain_timeout.total_seconds()))),
        )
        service = ecs.FargateService(
            self,
            "Service",
            service_name=self.named("service-application"),
            cluster=self._cluster,
            task_definition=task,
            task_definition_revision=ecs.TaskDefinitionRevision.LATEST,
            desired_count=settings.tasks,
            deployment_controller=ecs.DeploymentController(type=ecs.DeploymentControllerType.CODE_DEPLOY),
            assign_public_ip=False,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name=PRIVATE),
            security_groups=[group_of(self, network, Party.SERVERS)],
            health_check_grace_period=cdk.Duration.minutes(2),
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        service.attach_to_application_target_group(versions.blue)
        if self._starts.permissions is not None:
            service.node.add_dependency(self._starts.permissions)
        return service

    def _deploy(self, versions: BlueGreen, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        traffic = self.file.traffic
        waits = timedelta() if traffic.blue_green.promote_automatically else _LONGEST
        codedeploy.EcsDeploymentGroup(
            self,
            "Deployment",
            deployment_group_name=self.named("deployment-group"),
            application=codedeploy.EcsApplication(
                self, "Deployments", application_name=self.named("deployment-application")
            ),
            service=self._service,
            role=self._deployer(versions).without_policy_updates(),
            blue_green_deployment_config=codedeploy.EcsBlueGreenDeploymentConfig(
                blue_target_group=versions.blue,
                green_target_group=versions.green,
                listener=versions.users,
                test_listener=versions.test,
                deployment_approval_wait_time=_minutes(waits) if waits else None,
                termination_wait_time=_minutes(min(traffic.keep_warm, _LONGEST)),
            ),
            deployment_config=self._shift(),
            alarms=list(alarms),
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )

    def _shift(self) -> codedeploy.IEcsDeploymentConfig:
        """A new version gets the ladder's first share for its bake time, then all; with blue-green all at once."""
        traffic = self.file.traffic
        if traffic.strategy is Strategy.BLUE_GREEN:
            return codedeploy.EcsDeploymentConfig.ALL_AT_ONCE
        first = min(99, max(1, round(traffic.ladder.shares()[0])))
        return codedeploy.EcsDeploymentConfig(
            self,
            "Shift",
            deployment_config_name=self.named("deployment-config"),
            traffic_routing=codedeploy.TimeBasedCanaryTrafficRouting(
                interval=_minutes(min(traffic.ladder.bake, _LONGEST)), percentage=first
            ),
        )

    def _deployer(self, versions: BlueGreen) -> ServiceRole:
        """AWS's own policy for it grants every service, load balancer and topic of the account."""
        role = ServiceRole(self, "DeployRole", name=self.named("role-deployment"), service="codedeploy.amazonaws.com")
        whose = f"{self.named('cluster')}/{self.named('service-application')}"
        service = self.format_arn(service="ecs", resource="service", resource_name=whose)
        sets = self.format_arn(service="ecs", resource="task-set", resource_name=f"{whose}/*")
        role.may("Look", CODE_DEPLOY_LOOKS, ["*"])
        role.may("KnowTheService", ["ecs:DescribeServices"], [service])
        changes = ["ecs:CreateTaskSet", "ecs:DeleteTaskSet", "ecs:UpdateServicePrimaryTaskSet"]
        role.may("ChangeItsVersion", changes, [service, sets])
        listeners = [versions.users.listener_arn, versions.test.listener_arn]
        role.may("LeadUsers", ["elasticloadbalancing:ModifyListener"], listeners)
        passed = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        role.may("StartAsTheContainer", ["iam:PassRole"], [self._starts.role_arn, self._runs.role_arn], passed)
        acknowledge(role, "What describes has no resource to IAM (service authorization reference).", _ANY)
        acknowledge(
            role,
            "Sets of tasks are named by ECS as they are made; they are those of the one service.",
            f"AwsSolutions-IAM5[Resource::arn:aws:ecs:{self.region}:{self.account_text}:task-set/{whose}/*]",
        )
        return role


_CONTAINER = "application"
_ANY = "AwsSolutions-IAM5[Resource::*]"


def _minutes(time: timedelta) -> cdk.Duration:
    """CodeDeploy knows whole minutes, one at least."""
    return cdk.Duration.minutes(max(1, round(time.total_seconds() / 60)))
