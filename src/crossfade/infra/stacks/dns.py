"""A7: the private zone in which users are led to either side, and by which each side finds the other's names."""

import aws_cdk as cdk
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_route53resolver as resolver
from constructs import Construct

from crossfade.infra.constructs.alarms import ToldAlarm
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.entrances import entrances
from crossfade.infra.names import log_group_name, zone_name
from crossfade.infra.reach import Party
from crossfade.infra.stacks.network import PRIVATE, NetworkStack
from crossfade.infra.stacks.stack import MigrationStack
from crossfade.model.file import MigrationFile

ALL, NONE = 255, 0
"""Weights of a side that gets everybody, and nobody, of 0 to 255. Never are both 0, for that means equal shares."""
SIDES = ("source", "target")


class DnsStack(MigrationStack):
    """One weighted name for users; behind it, one name a side, which are of one type and one time to live.

    At first everybody is on the source. Afterwards the weights are the engine's and the roll back's: a later
    deployment of an unchanged template does not touch them.
    """

    def __init__(
        self,
        scope: Construct,
        file: MigrationFile,
        *,
        network: NetworkStack,
        balancer: elb.IApplicationLoadBalancer,
        healthy: ToldAlarm,
    ) -> None:
        super().__init__(scope, "dns", file=file, description="private zone, weighted records and resolvers")
        self.zone = route53.PrivateHostedZone(self, "Zone", zone_name=zone_name(file), vpc=network.vpc)
        self.record_name = f"{file.traffic.dns.record}.{zone_name(file)}"
        self._sides(balancer)
        self._weighted(healthy)
        if file.traffic.dns.resolver_endpoints:
            self._resolvers(network)
        self._log_queries(network)

    def _sides(self, balancer: elb.IApplicationLoadBalancer) -> None:
        ttl = cdk.Duration.seconds(int(self.file.traffic.dns.ttl.total_seconds()))
        route53.ARecord(
            self,
            "Source",
            zone=self.zone,
            record_name=f"source.{self.record_name}",
            ttl=ttl,
            target=route53.RecordTarget.from_ip_addresses(*map(str, entrances(self.file))),
            comment="The legacy servers at which users come in",
        )
        route53.ARecord(
            self,
            "Target",
            zone=self.zone,
            record_name=f"target.{self.record_name}",
            target=route53.RecordTarget.from_alias(targets.LoadBalancerTarget(balancer)),
            comment="The load balancer on AWS",
        )

    def _weighted(self, healthy: ToldAlarm) -> None:
        check = route53.CfnHealthCheck(
            self,
            "TargetHealth",
            health_check_config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                type="CLOUDWATCH_METRIC",
                alarm_identifier=route53.CfnHealthCheck.AlarmIdentifierProperty(
                    name=healthy.alarm_name, region=self.region
                ),
                insufficient_data_health_status="LastKnownStatus",
            ),
            health_check_tags=[
                route53.CfnHealthCheck.HealthCheckTagProperty(key="Name", value=self.named("health-check-target"))
            ],
        )
        for side, weight in zip(SIDES, (ALL, NONE), strict=True):
            record = route53.CfnRecordSet(
                self,
                f"Weighted{side.title()}",
                hosted_zone_id=self.zone.hosted_zone_id,
                name=self.record_name,
                type="CNAME",
                ttl=str(int(self.file.traffic.dns.ttl.total_seconds())),
                set_identifier=side,
                weight=weight,
                resource_records=[f"{side}.{self.record_name}"],
                # the source has no check: nobody on AWS can tell its health well enough to take it out of the answers
                health_check_id=check.attr_health_check_id if side == "target" else None,
            )
            record.apply_removal_policy(cdk.RemovalPolicy.DESTROY)

    def _resolvers(self, network: NetworkStack) -> None:
        inbound = self._endpoint("inbound", network)
        cdk.CfnOutput(
            self,
            "ForwardTo",
            value=inbound.attr_resolver_endpoint_id,
            description=f"The data center forwards {zone_name(self.file)} to this endpoint's addresses",
        )
        if self.file.connectivity.on_premises_dns and (domain := _domain_of(self.file)):
            self._forward(domain, self._endpoint("outbound", network), network)

    def _endpoint(self, direction: str, network: NetworkStack) -> resolver.CfnResolverEndpoint:
        """`inbound`: the data center asks it. `outbound`: it asks the data center."""
        subnets = network.vpc.select_subnets(subnet_group_name=PRIVATE).subnet_ids
        return resolver.CfnResolverEndpoint(
            self,
            direction.title(),
            direction=direction.upper(),
            name=self.named(f"resolver-{direction}"),
            ip_addresses=[resolver.CfnResolverEndpoint.IpAddressRequestProperty(subnet_id=s) for s in subnets],
            security_group_ids=[network.groups[Party.RESOLVER].security_group_id],
        )

    def _forward(self, domain: str, outbound: resolver.CfnResolverEndpoint, network: NetworkStack) -> None:
        rule = resolver.CfnResolverRule(
            self,
            "DataCenterNames",
            domain_name=domain,
            rule_type="FORWARD",
            name=self.named("resolver-rule"),
            resolver_endpoint_id=outbound.attr_resolver_endpoint_id,
            target_ips=[
                resolver.CfnResolverRule.TargetAddressProperty(ip=str(address), port="53")
                for address in self.file.connectivity.on_premises_dns
            ],
        )
        resolver.CfnResolverRuleAssociation(
            self, "DataCenterNamesHere", resolver_rule_id=rule.attr_resolver_rule_id, vpc_id=network.vpc.vpc_id
        )

    def _log_queries(self, network: NetworkStack) -> None:
        key = StackKey(self, file=self.file, purpose="dns-logs")
        group = log_groups(self, self.file, key, {"QueryLogs": log_group_name(self.file, "dns-queries")})["QueryLogs"]
        logging = resolver.CfnResolverQueryLoggingConfig(
            self, "QueryLogging", name=self.named("query-logging"), destination_arn=group.log_group_arn
        )
        resolver.CfnResolverQueryLoggingConfigAssociation(
            self,
            "QueryLoggingHere",
            resolver_query_log_config_id=logging.attr_id,
            resource_id=network.vpc.vpc_id,
        )


def _domain_of(file: MigrationFile) -> str | None:
    """The domain of the source's names, if the file gives the database a name rather than an address."""
    host = file.database.source.host or ""
    name, _, domain = host.partition(".")
    return domain if domain and not name.isdigit() and domain != zone_name(file) else None
