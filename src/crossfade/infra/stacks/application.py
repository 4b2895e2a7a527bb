"""A15, the application's half: the load balancer on AWS, with a target group for each tier that takes requests."""

import aws_cdk as cdk
from aws_cdk import aws_acmpca as acmpca
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sns as sns
from constructs import Construct

from crossfade.infra.constructs.alarms import ABOVE, BELOW, QUIET, UNKNOWN, Limit, ToldAlarm, metric
from crossfade.infra.constructs.buckets import EmptiedBucket
from crossfade.infra.names import zone_name
from crossfade.infra.reach import Party
from crossfade.infra.stacks.network import PRIVATE, NetworkStack, group_of
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile
from crossfade.model.file.site import Tier, TierRole

_CERTIFICATE_YEARS = 2


def serving_tiers(file: MigrationFile) -> tuple[Tier, ...]:
    """The tiers that take requests, the web tier first; one that does both where the file names none."""
    serving = sorted((t for t in file.source.tiers if t.role is not TierRole.WORKER), key=lambda t: t.role != "web")
    return tuple(serving) or (Tier(name="servers", role=TierRole.WEB, servers=file.servers.count),)


class ApplicationStack(MigrationStack):
    """TLS ends at the load balancer. Instances are launched by MGN and registered by the engine."""

    def __init__(self, scope: Construct, file: MigrationFile, *, network: NetworkStack, told: sns.ITopic) -> None:
        super().__init__(scope, "application", file=file, description="load balancer and server groups")
        self._network, self._told = network, told
        self.balancer = self._balancer()
        tiers = serving_tiers(file)
        self.groups = [self._target_group(tier) for tier in tiers]
        self._listen(tiers)
        self.alarms = self._alarms()

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

    def _target_group(self, tier: Tier) -> elb.ApplicationTargetGroup:
        return elb.ApplicationTargetGroup(
            self,
            f"Group{tier.name.title().replace('-', '')}",
            target_group_name=self.named(f"tg-{tier.name}"),
            vpc=self._network.vpc,
            port=tier.port,
            protocol=elb.ApplicationProtocol.HTTP,
            target_type=elb.TargetType.INSTANCE,
            deregistration_delay=cdk.Duration.seconds(int(self.file.traffic.drain_timeout.total_seconds())),
            health_check=elb.HealthCheck(
                path=tier.health_path,
                healthy_http_codes="200",
                interval=cdk.Duration.seconds(10),
                timeout=cdk.Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
        )

    def _listen(self, tiers: tuple[Tier, ...]) -> None:
        listener = self.balancer.add_listener(
            "Https",
            port=443,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[elb.ListenerCertificate.from_arn(self._certificate())],
            ssl_policy=elb.SslPolicy.TLS13_RES,
            default_target_groups=[self.groups[0]],
            open=False,
        )
        for number, (tier, group) in enumerate(zip(tiers[1:], self.groups[1:], strict=True), start=1):
            listener.add_target_groups(
                f"Rule{tier.name.title().replace('-', '')}",
                priority=10 * number,
                conditions=[elb.ListenerCondition.host_headers([f"{tier.name}.{_host(self.file)}"])],
                target_groups=[group],
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
        """All start a roll back; `health` also answers Route 53's check. Before servers are launched none has data."""
        balancer, limits = self.balancer.load_balancer_full_name, self.file.limits
        of_all = {"LoadBalancer": balancer}
        of_web = {"LoadBalancer": balancer, "TargetGroup": self.groups[0].target_group_full_name}
        told = self._told
        return {
            "health": ToldAlarm(
                self,
                self.named("alarm-target-health"),
                says="No server on AWS answers the load balancer's health check.",
                of=metric("AWS/ApplicationELB", "HealthyHostCount", of_web, "Minimum"),
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
