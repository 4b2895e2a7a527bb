"""A5 and A6: the VPN with both its tunnels, Direct Connect, and the routing that makes the file's primary carry."""

import aws_cdk as cdk
from aws_cdk import aws_directconnect as directconnect
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns
from constructs import Construct

from crossfade.infra import wants
from crossfade.infra.constructs.alarms import AT_MOST, BELOW, BREACHING, UNKNOWN, Limit, ToldAlarm, metric
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.names import log_group_name
from crossfade.infra.routing import announcements
from crossfade.infra.stacks.network import NetworkStack
from crossfade.infra.stacks.stack import MigrationStack
from crossfade.infra.tunnels import (
    CIPHERS,
    DPD_TIMEOUT,
    ESP_LIFETIME,
    GROUPS,
    HASHES,
    IKE_LIFETIME,
    IKE_VERSION,
)
from crossfade.model.file import MigrationFile
from crossfade.model.file.connectivity import Tunnel

_LARGE_ASN = 2**31
"""Larger numbers have a property of their own. Source: CloudFormation reference, AWS::EC2::CustomerGateway."""


class ConnectivityStack(MigrationStack):
    """A virtual private gateway with BGP to the data center, over two VPN tunnels and, if enabled, Direct Connect.

    Which path carries is decided by what the data center announces (`routing`); the outputs say what that is.
    """

    def __init__(self, scope: Construct, file: MigrationFile, *, network: NetworkStack, told: sns.ITopic) -> None:
        super().__init__(scope, "connectivity", file=file, description="VPN, Direct Connect and routing")
        self._told = told
        self.gateway = self._gateway(network)
        self.vpn = self._vpn()
        self.both_down, self.one_down = self._tunnel_alarms()
        self.virtual_interface = self._direct_connect() if wants.direct_connect(file) else None
        self._say_routing()

    def _gateway(self, network: NetworkStack) -> ec2.CfnVPNGateway:
        gateway = ec2.CfnVPNGateway(
            self,
            "Gateway",
            type="ipsec.1",
            amazon_side_asn=self.file.connectivity.vpn.amazon_asn,
            tags=[cdk.CfnTag(key="Name", value=self.named("vpn-gateway"))],
        )
        attached = ec2.CfnVPCGatewayAttachment(
            self, "Attachment", vpc_id=network.vpc.vpc_id, vpn_gateway_id=gateway.attr_vpn_gateway_id
        )
        propagated = ec2.CfnVPNGatewayRoutePropagation(
            self,
            "Propagation",
            route_table_ids=network.route_tables(),
            vpn_gateway_id=gateway.attr_vpn_gateway_id,
        )
        propagated.add_resource_dependency(attached)
        return gateway

    def _vpn(self) -> ec2.CfnVPNConnection:
        vpn = self.file.connectivity.vpn
        customer = ec2.CfnCustomerGateway(
            self,
            "CustomerGateway",
            type="ipsec.1",
            ip_address=str(vpn.customer_gateway),
            bgp_asn=vpn.customer_asn if vpn.customer_asn < _LARGE_ASN else None,
            bgp_asn_extended=None if vpn.customer_asn < _LARGE_ASN else vpn.customer_asn,
            tags=[cdk.CfnTag(key="Name", value=self.named("customer-gateway"))],
        )
        key = StackKey(self, file=self.file, purpose="vpn-logs")
        kinds = {"Tunnel1Logs": "vpn-tunnel-1", "Tunnel2Logs": "vpn-tunnel-2"}
        groups = log_groups(self, self.file, key, {i: log_group_name(self.file, kind) for i, kind in kinds.items()})
        given = (*vpn.tunnels, *(Tunnel() for _ in range(2 - len(vpn.tunnels))))
        connection = ec2.CfnVPNConnection(
            self,
            "Vpn",
            type="ipsec.1",
            customer_gateway_id=customer.attr_customer_gateway_id,
            vpn_gateway_id=self.gateway.attr_vpn_gateway_id,
            static_routes_only=False,
            pre_shared_key_storage="SecretsManager",
            vpn_tunnel_options_specifications=[
                _tunnel(tunnel, group.log_group_arn) for tunnel, group in zip(given, groups.values(), strict=True)
            ],
            tags=[cdk.CfnTag(key="Name", value=self.named("vpn"))],
        )
        cdk.CfnOutput(self, "VpnId", value=connection.attr_vpn_connection_id, description="Its router configuration")
        return connection

    def _tunnel_alarms(self) -> tuple[ToldAlarm, ToldAlarm]:
        """All tunnels down starts a roll back, so silence must not; one down is for people, and so is silence."""
        both = self._tunnel_alarm(
            "alarm-vpn-down",
            "Both tunnels of the VPN are down.",
            "Maximum",
            Limit(comparison=AT_MOST, threshold=0, missing=UNKNOWN, periods=3),
        )
        one = self._tunnel_alarm(
            "alarm-vpn-tunnel-down",
            "A tunnel of the VPN is down, or its state is not known: the other one has no second.",
            "Minimum",
            Limit(comparison=BELOW, threshold=1, missing=BREACHING, periods=3),
        )
        return both, one

    def _tunnel_alarm(self, kind: str, says: str, statistic: str, limit: Limit) -> ToldAlarm:
        state = metric("AWS/VPN", "TunnelState", {"VpnId": self.vpn.attr_vpn_connection_id}, statistic)
        return ToldAlarm(self, self.named(kind), says=says, of=state, limit=limit, topic=self._told)

    def _direct_connect(self) -> directconnect.CfnPrivateVirtualInterface:
        direct = self.file.connectivity.direct_connect
        gateway = directconnect.CfnDirectConnectGateway(
            self,
            "DirectConnectGateway",
            direct_connect_gateway_name=self.named("direct-connect-gateway"),
            amazon_side_asn=str(self.file.connectivity.vpn.amazon_asn),
        )
        directconnect.CfnDirectConnectGatewayAssociation(
            self,
            "DirectConnectAssociation",
            associated_gateway_id=self.gateway.attr_vpn_gateway_id,
            direct_connect_gateway_id=gateway.attr_direct_connect_gateway_id,
            allowed_prefixes_to_direct_connect_gateway=[str(self.file.target.cidr)],
        )
        secret = direct.bgp_key
        key = cdk.SecretValue.secrets_manager(secret.name).unsafe_unwrap() if secret else None
        interface = directconnect.CfnPrivateVirtualInterface(
            self,
            "VirtualInterface",
            connection_id=str(direct.connection),
            direct_connect_gateway_id=gateway.attr_direct_connect_gateway_id,
            virtual_interface_name=self.named("virtual-interface"),
            vlan=direct.vlan,
            bgp_peers=[
                directconnect.CfnPrivateVirtualInterface.BgpPeerProperty(
                    address_family="ipv4", asn=str(direct.customer_asn), auth_key=key
                )
            ],
        )
        ToldAlarm(
            self,
            self.named("alarm-direct-connect-down"),
            says="The connection that carries the virtual interface is down, or its state is not known.",
            of=metric("AWS/DX", "ConnectionState", {"ConnectionId": str(direct.connection)}, "Minimum"),
            limit=Limit(comparison=BELOW, threshold=1, missing=BREACHING, periods=3),
            topic=self._told,
        )
        return interface

    def _say_routing(self) -> None:
        for announcement in announcements(self.file):
            name = announcement.path.replace("_", " ").title().replace(" ", "")
            prefixes = ", ".join(map(str, announcement.prefixes))
            cdk.CfnOutput(
                self,
                f"Announce{name}",
                value=prefixes,
                description=f"Announce to AWS there; local preference {announcement.local_preference} the other way",
            )


def _tunnel(tunnel: Tunnel, logs_arn: str) -> ec2.CfnVPNConnection.VpnTunnelOptionsSpecificationProperty:
    """IKEv2 with strong proposals only; AWS starts it again when the other end falls silent."""
    secret = tunnel.pre_shared_key
    of = ec2.CfnVPNConnection
    return of.VpnTunnelOptionsSpecificationProperty(
        pre_shared_key=cdk.SecretValue.secrets_manager(secret.name).unsafe_unwrap() if secret else None,
        tunnel_inside_cidr=str(tunnel.inside_cidr) if tunnel.inside_cidr else None,
        startup_action=tunnel.startup.value,
        dpd_timeout_action="restart",
        dpd_timeout_seconds=int(DPD_TIMEOUT.total_seconds()),
        phase1_lifetime_seconds=int(IKE_LIFETIME.total_seconds()),
        phase2_lifetime_seconds=int(ESP_LIFETIME.total_seconds()),
        ike_versions=[of.IKEVersionsRequestListValueProperty(value=IKE_VERSION)],
        phase1_encryption_algorithms=[of.Phase1EncryptionAlgorithmsRequestListValueProperty(value=c) for c in CIPHERS],
        phase2_encryption_algorithms=[of.Phase2EncryptionAlgorithmsRequestListValueProperty(value=c) for c in CIPHERS],
        phase1_integrity_algorithms=[of.Phase1IntegrityAlgorithmsRequestListValueProperty(value=h) for h in HASHES],
        phase2_integrity_algorithms=[of.Phase2IntegrityAlgorithmsRequestListValueProperty(value=h) for h in HASHES],
        phase1_dh_group_numbers=[of.Phase1DHGroupNumbersRequestListValueProperty(value=g) for g in GROUPS],
        phase2_dh_group_numbers=[of.Phase2DHGroupNumbersRequestListValueProperty(value=g) for g in GROUPS],
        log_options=of.VpnTunnelLogOptionsSpecificationProperty(
            cloudwatch_log_options=of.CloudwatchLogOptionsSpecificationProperty(
                log_enabled=True,
                log_group_arn=logs_arn,
                log_output_format="json",
                bgp_log_enabled=True,
                bgp_log_group_arn=logs_arn,
                bgp_log_output_format="json",
            )
        ),
    )
