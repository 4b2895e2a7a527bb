"""A15, the application's half: the load balancer on AWS, with a target group for each tier that takes requests."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_acmpca as acmpca
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sns as sns
from constructs import Construct

from crossfade.infra import wants
from crossfade.infra.constructs.alarms import ABOVE, BELOW, QUIET, UNKNOWN, Limit, ToldAlarm, metric
from crossfade.infra.constructs.buckets import EmptiedBucket
from crossfade.infra.constructs.target_groups import TierGroup
from crossfade.infra.names import zone_name
from crossfade.infra.reach import HTTPS, Party
from crossfade.infra.stacks.network import PRIVATE, NetworkStack, group_of
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.infra.tiers import serving_tiers
from crossfade.model.file import MigrationFile

_CERTIFICATE_YEARS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueGreen:
    """What CodeDeploy turns over: two groups, the listener that users come in at, and the one for looking first."""

    blue: elb.ApplicationTargetGroup
    green: elb.ApplicationTargetGroup
    users: elb.ApplicationListener
    test: elb.ApplicationListener


class ApplicationStack(MigrationStack):
    """TLS ends at the load balancer. Instances are launched by MGN and registered by the engine, containers by ECS."""

    def __init__(self, scope: Construct, file: MigrationFile, *, network: NetworkStack, told: sns.ITopic) -> None:
        super().__init__(scope, "application", file=file, description="load balancer and server groups")
        self._network, self._told = network, told
        self.balancer = self._balancer()
        self.web: tuple[elb.ApplicationTargetGroup, ...] = ()
        self.versions: BlueGreen | None = None
        if wants.ecs(file):
            self.versions = self._versions()
        else:
            self._tiers()
        self.alarms = self._alarms()
        self.checked = self._running() if wants.ecs(file) else self.alarms["health"]
        """What Route 53's check of the target looks at."""

    def _balancer(self) -> elb.ApplicationLoadBalancer:
        settings = self.file.target.load_balancer
        subnets = ec2.SubnetSelection(subnet_group_name=PRIVATE if settings.internal else "public")
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            load_balancer_name=self.named("load-balancer"),
            vpc=self._network.vpc,
            vpc_subnets=subnets,
            internet_facing=not settings.internal,
            security_group=group_of(self, self._network, Party.LOAD_BALANCER),
            deletion_protection=False,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            idle_timeout=cdk.Duration.seconds(settings.idle_timeout_seconds),
        )
        acknowledge(balancer, "Everything must be destroyable (A16); it holds nothing.", "ELBDeletionProtectionEnabled")
        acknowledge(
            balancer,
            "Reached over the hybrid link; a web firewall would inspect the company's own users, whom the data "
            "center's own rules already meet.",
            "ALBWAFEnabled",
        )
        bucket = EmptiedBucket(self, "AccessLogs", file=self.file, kind="access-logs", key=None)
        bucket.add_lifecycle_rule(expiration=cdk.Duration.days(self.file.metrics.log_retention_days))
        balancer.log_access_logs(bucket)
        return balancer

    def _tiers(self) -> None:
        """A group for each tier, told apart by the host that is asked for."""
        tiers = serving_tiers(self.file)
        vpc, of = self._network.vpc, elb.TargetType.INSTANCE
        groups = [TierGroup(self, f"tg-{t.name}", file=self.file, vpc=vpc, tier=t, of=of) for t in tiers]
        listener = self._listener("Https", HTTPS, self._certificate(), groups[0])
        for number, (tier, group) in enumerate(zip(tiers[1:], groups[1:], strict=True), start=1):
            listener.add_target_groups(
                f"Rule{tier.name.title().replace('-', '')}",
                priority=10 * number,
                conditions=[elb.ListenerCondition.host_headers([f"{tier.name}.{_host(self.file)}"])],
                target_groups=[group],
            )
        self.web = (groups[0],)

    def _versions(self) -> BlueGreen:
        """Two groups, of which CodeDeploy makes one the users' and the other that of the next version, in turns."""
        tier, certificate = serving_tiers(self.file)[0], self._certificate()
        vpc, of = self._network.vpc, elb.TargetType.IP
        blue, green = (
            TierGroup(self, f"target-group-{colour}", file=self.file, vpc=vpc, tier=tier, of=of)
            for colour in ("blue", "green")
        )
        users = self._listener("Https", HTTPS, certificate, blue)
        test = self._listener("Test", self.file.target.containers.test_port, certificate, green)
        self.web = (blue, green)
        return BlueGreen(blue=blue, green=green, users=users, test=test)

    def _listener(
        self, identity: str, port: int, certificate: str, group: elb.ApplicationTargetGroup
    ) -> elb.ApplicationListener:
        return self.balancer.add_listener(
            identity,
            port=port,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[elb.ListenerCertificate.from_arn(certificate)],
            ssl_policy=elb.SslPolicy.TLS13_RES,
            default_target_groups=[group],
            open=False,
        )

    def _certificate(self) -> str:
        """The file's, or one of an authority of our own: no public one vouches for names of a private zone."""
        if given := self.file.target.load_balancer.certificate:
            return given
        authority = self._authority()
        issued = acm.PrivateCertificate(
            self,
            "Certificate",
            domain_name=_host(self.file),
            subject_alternative_names=[f"*.{_host(self.file)}"],
            certificate_authority=acmpca.CertificateAuthority.from_certificate_authority_arn(
                self, "IssuedBy", authority.certificate_authority_arn
            ),
        )
        issued.node.add_dependency(authority)
        return issued.certificate_arn

    def _authority(self) -> acmpca.CfnCertificateAuthorityActivation:
        authority = acmpca.CfnCertificateAuthority(
            self,
            "Authority",
            type="ROOT",
            key_algorithm="EC_prime256v1",
            signing_algorithm="SHA256WITHECDSA",
            subject=acmpca.CfnCertificateAuthority.SubjectProperty(
                common_name=f"{zone_name(self.file)} {self.file.environment.suffix}"[:64],
                organization=self.file.migration.owner[:64],
            ),
        )
        root = acmpca.CfnCertificate(
            self,
            "RootCertificate",
            certificate_authority_arn=authority.attr_arn,
            certificate_signing_request=authority.attr_certificate_signing_request,
            signing_algorithm="SHA256WITHECDSA",
            template_arn=f"arn:{self.partition}:acm-pca:::template/RootCACertificate/V1",
            validity=acmpca.CfnCertificate.ValidityProperty(type="YEARS", value=_CERTIFICATE_YEARS),
        )
        return acmpca.CfnCertificateAuthorityActivation(
            self,
            "Activation",
            certificate_authority_arn=authority.attr_arn,
            certificate=root.attr_certificate,
            status="ACTIVE",
        )

    def _alarms(self) -> dict[str, ToldAlarm]:
        """All start a roll back. Before servers are launched none has data."""
        balancer, limits = self.balancer.load_balancer_full_name, self.file.limits
        of_all = {"LoadBalancer": balancer}
        told = self._told
        return {
            "health": ToldAlarm(
                self,
                self.named("alarm-target-health"),
                says="No server or container on AWS answers the load balancer's health check.",
                of=self._healthy(balancer),
                limit=Limit(comparison=BELOW, threshold=1, missing=UNKNOWN, periods=2),
                topic=told,
            ),
            "errors": ToldAlarm(
                self,
                self.named("alarm-target-errors"),
                says="Servers on AWS answer more requests with errors than limits.max_error_rate_percent allows.",
                of=self._error_rate(of_all),
                limit=Limit(
                    comparison=ABOVE, threshold=limits.max_error_rate_percent, missing=QUIET, periods=3, of_them=2
                ),
                topic=told,
            ),
            "p95": ToldAlarm(
                self,
                self.named("alarm-target-p95"),
                says="Servers on AWS answer more slowly than limits.max_p95 allows.",
                of=metric("AWS/ApplicationELB", "TargetResponseTime", of_all, "p95"),
                limit=Limit(comparison=ABOVE, threshold=limits.max_p95.total_seconds(), missing=UNKNOWN, periods=3),
                topic=told,
            ),
        }

    def _running(self) -> ToldAlarm:
        """Route 53 looks at no alarm over two metrics, so that of both groups' health cannot answer its check.

        ECS ends what fails the load balancer's check, so that nothing runs when nothing is healthy.
        Source: Route 53 developer guide, health checks that monitor CloudWatch alarms.
        """
        of = {"ClusterName": self.named("cluster"), "ServiceName": self.named("service-application")}
        return ToldAlarm(
            self,
            self.named("alarm-target-running"),
            says="No container of the application runs on AWS.",
            of=metric("ECS/ContainerInsights", "RunningTaskCount", of, "Minimum"),
            limit=Limit(comparison=BELOW, threshold=1, missing=UNKNOWN, periods=2),
            topic=self._told,
        )

    def _healthy(self, balancer: str) -> cloudwatch.IMetric:
        """How many are healthy, in the one group that users are led to: with two versions, the one that has any.

        Where neither reports, 1: missing data must start no roll back.
        """
        counts = [
            metric(
                "AWS/ApplicationELB",
                "HealthyHostCount",
                {"LoadBalancer": balancer, "TargetGroup": group.target_group_full_name},
                "Minimum",
            )
            for group in self.web
        ]
        if len(counts) == 1:
            return counts[0]
        return cloudwatch.MathExpression(
            expression="ABS(MAX([FILL(blue, -1), FILL(green, -1)]))",
            using_metrics=dict(zip(("blue", "green"), counts, strict=True)),
            label="healthy",
            period=cdk.Duration.minutes(1),
        )

    def _error_rate(self, dimensions: dict[str, str]) -> cloudwatch.MathExpression:
        """In percent; none while fewer than the guards' minimum of requests came, for few prove nothing."""
        least = self.file.limits.guards.minimum_requests
        return cloudwatch.MathExpression(
            expression=f"IF(requests >= {least}, 100 * FILL(errors, 0) / requests)",
            using_metrics={
                "errors": metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", dimensions, "Sum"),
                "requests": metric("AWS/ApplicationELB", "RequestCount", dimensions, "Sum"),
            },
            label="errors in percent",
            period=cdk.Duration.minutes(1),
        )


def _host(file: MigrationFile) -> str:
    return f"{file.traffic.dns.record}.{zone_name(file)}"
