"""A1: the network that everything else stands in, and who may talk to whom in it."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from crossfade.infra import wants
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.endpoints import OF_AWS_IN_S3, interface_endpoints
from crossfade.infra.names import log_group_name
from crossfade.infra.reach import OUTSIDE, Party, flows, parties
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile

PRIVATE, DATA, STAGING = "private", "data", "staging"


class NetworkStack(MigrationStack):
    """A VPC over the file's zones: public, private, data and staging subnets, flow logs, endpoints, security groups."""

    def __init__(self, scope: Construct, file: MigrationFile) -> None:
        super().__init__(scope, "network", file=file, description="network, endpoints and security groups")
        zones = file.target.zone_names(file.environment.region)
        inner = ec2.SubnetType.PRIVATE_WITH_EGRESS if wants.way_out(file) else ec2.SubnetType.PRIVATE_ISOLATED
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=self.named("vpc"),
            ip_addresses=ec2.IpAddresses.cidr(str(file.target.cidr)),
            availability_zones=list(zones),
            nat_gateways=len(zones) if wants.way_out(file) else 0,
            restrict_default_security_group=True,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name=PRIVATE, subnet_type=inner),
                ec2.SubnetConfiguration(name=DATA, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
                ec2.SubnetConfiguration(name=STAGING, subnet_type=inner),
            ],
        )
        for subnet in self.vpc.public_subnets:
            acknowledge(
                subnet,
                "A public subnet is one that has this route (REQUIREMENTS A1). Nothing stands in it but NAT gateways, "
                "where something needs them, and the load balancer where the file asks for a public one.",
                "VPCNoUnrestrictedRouteToIGW",
            )
        self._log_flows()
        self.groups = {party: self._group(party) for party in parties(file)}
        self._let_through()
        self._endpoints()

    def route_tables(self) -> list[str]:
        """The route tables from which the data center must be reachable: all but the public ones."""
        return [subnet.route_table.route_table_id for subnet in (*self.vpc.private_subnets, *self.vpc.isolated_subnets)]

    def _log_flows(self) -> None:
        key = StackKey(self, file=self.file, purpose="network-logs")
        groups = log_groups(self, self.file, key, {"FlowLogs": log_group_name(self.file, "flow-logs")})
        role = ServiceRole(
            self, "FlowLogRole", name=self.named("role-flow-logs"), service="vpc-flow-logs.amazonaws.com"
        )
        role.may(
            "WriteFlowLogs",
            ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            [groups["FlowLogs"].log_group_arn],
        )
        self.vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(groups["FlowLogs"], role.without_policy_updates()),
            traffic_type=ec2.FlowLogTrafficType.ALL,
            max_aggregation_interval=ec2.FlowLogMaxAggregationInterval.ONE_MINUTE,
        )

    def _group(self, party: Party) -> ec2.SecurityGroup:
        """Empty: nothing leaves either. Rules are resources of their own, so that groups can name each other."""
        return ec2.SecurityGroup(
            self,
            f"Group{party.title().replace('-', '')}",
            vpc=self.vpc,
            security_group_name=self.named(f"security-group-{party}"),
            description=f"{party} of {self.file.migration.name}",
            allow_all_outbound=False,
            disable_inline_rules=True,
        )

    def _let_through(self) -> None:
        for flow in flows(self.file):
            port = ec2.Port(
                protocol=ec2.Protocol(flow.protocol.upper()),
                from_port=flow.first_port,
                to_port=flow.last_port,
                string_representation=f"{flow.protocol} {flow.first_port}-{flow.last_port}",
            )
            if flow.takes not in OUTSIDE:
                self.groups[flow.takes].add_ingress_rule(self._peer(flow.opens), port, flow.why)
            if flow.opens not in OUTSIDE:
                self.groups[flow.opens].add_egress_rule(self._peer(flow.takes), port, flow.why)

    def _peer(self, party: Party) -> ec2.IPeer:
        if party is Party.DATA_CENTER:
            return ec2.Peer.ipv4(str(self.file.source.cidr))
        return ec2.Peer.any_ipv4() if party is Party.SERVICES else self.groups[party]

    def _endpoints(self) -> None:
        inner = ec2.SubnetSelection(subnet_group_name=PRIVATE)
        account, region = self.account, self.region  # each look is a round trip to Node
        ours = _statement("OwnPrincipals", ["*"], ["*"], {"StringEquals": {"aws:PrincipalAccount": account}})
        for service in interface_endpoints(self.file):
            endpoint = self.vpc.add_interface_endpoint(
                f"Endpoint{service.title().replace('.', '').replace('-', '')}",
                service=ec2.InterfaceVpcEndpointService(f"com.amazonaws.{region}.{service}", 443),
                subnets=inner,
                security_groups=[self.groups[Party.ENDPOINTS]],
                open=False,
                private_dns_enabled=True,
            )
            endpoint.add_to_policy(ours)
        of = ec2.GatewayVpcEndpointAwsService
        for name, at in (("s3", of.S3), ("dynamodb", of.DYNAMODB)):
            gateway = self.vpc.add_gateway_endpoint(f"Endpoint{name.title()}", service=at)
            own = {"StringEquals": {"aws:ResourceAccount": account}}
            gateway.add_to_policy(_statement("OwnResources", [f"{name}:*"], ["*"], own))
            if name == "s3":
                partition = self.partition
                arns = [f"arn:{partition}:s3:::{bucket.format(region=region)}/*" for bucket in OF_AWS_IN_S3]
                gateway.add_to_policy(_statement("SoftwareOfAws", ["s3:GetObject"], arns, {}))


def _statement(
    sid: str, actions: list[str], resources: list[str], conditions: dict[str, dict[str, str]]
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, principals=[iam.AnyPrincipal()], actions=actions, resources=resources, conditions=conditions
    )


def group_of(scope: Construct, network: NetworkStack, party: Party) -> ec2.ISecurityGroup:
    """A group for use in another stack. Its rules are made here, never from there: no two stacks need each other."""
    return ec2.SecurityGroup.from_security_group_id(
        scope, f"Group{party.title().replace('-', '')}", network.groups[party].security_group_id, mutable=False
    )
