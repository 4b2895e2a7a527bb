"""A1, A5, A6: the VPC, who may talk to whom in it, and the paths to the data center."""

from ipaddress import IPv4Network

from crossfade.infra.reach import flows
from tests.infra.templates import Templates, reference, text


def test_each_zone_has_a_subnet_of_each_kind(built: Templates) -> None:
    subnets = built.properties("AWS::EC2::Subnet")
    kinds = {name for s in subnets for t in s["Tags"] if (name := t["Value"]) and t["Key"] == "aws-cdk:subnet-name"}
    assert kinds == {"public", "private", "data", "staging"}
    assert len(subnets) == 3 * len(kinds)
    assert {s["AvailabilityZone"] for s in subnets} == {"us-east-1a", "us-east-1b", "us-east-1c"}
    assert not any(s.get("MapPublicIpOnLaunch") for s in subnets)


def test_subnets_are_within_the_network_and_apart(built: Templates) -> None:
    networks = [IPv4Network(s["CidrBlock"]) for s in built.properties("AWS::EC2::Subnet")]
    assert all(network.subnet_of(reference().target.cidr) for network in networks)
    assert not any(a.overlaps(b) for i, a in enumerate(networks) for b in networks[:i])


def test_nothing_private_has_a_way_to_the_internet(built: Templates) -> None:
    assert built.properties("AWS::EC2::NatGateway") == []
    routes = built.properties("AWS::EC2::Route")
    assert len(routes) == 3
    assert all("public" in text(route["RouteTableId"]) for route in routes)


def test_all_traffic_is_logged(built: Templates) -> None:
    log = built.one("AWS::EC2::FlowLog")
    assert log["TrafficType"] == "ALL"
    assert log["LogDestinationType"] == "cloud-watch-logs"


def test_security_groups_let_through_what_the_table_says_and_no_more(built: Templates) -> None:
    told = {(f.protocol, f.first_port, f.last_port, f.why) for f in flows(reference())}
    made = {
        (p["IpProtocol"], p["FromPort"], p["ToPort"], p["Description"])
        for kind in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
        for p in built.properties(kind)
        if p["Description"] != "Disallow all traffic"  # CDK's way to say that nothing leaves a group without a rule
    }
    assert made == told
    assert not any(p.get("SecurityGroupIngress") for p in built.properties("AWS::EC2::SecurityGroup"))


def test_nobody_from_anywhere_comes_in(built: Templates) -> None:
    allowed = {str(reference().source.cidr)}
    assert {p["CidrIp"] for p in built.properties("AWS::EC2::SecurityGroupIngress") if "CidrIp" in p} <= allowed


def test_endpoints_serve_only_the_own_account(built: Templates) -> None:
    endpoints = built.properties("AWS::EC2::VPCEndpoint")
    assert {e["VpcEndpointType"] for e in endpoints} == {"Gateway", "Interface"}
    for endpoint in endpoints:
        for statement in endpoint["PolicyDocument"]["Statement"]:
            ours = {"aws:PrincipalAccount", "aws:ResourceAccount"} & set(
                statement.get("Condition", {}).get("StringEquals", {})
            )
            assert ours or statement["Sid"] == "SoftwareOfAws"
        assert endpoint["VpcEndpointType"] == "Gateway" or endpoint["PrivateDnsEnabled"]


def test_both_tunnels_are_logged_and_offer_strong_ciphers_only(built: Templates) -> None:
    vpn = built.one("AWS::EC2::VPNConnection")
    first, second = vpn["VpnTunnelOptionsSpecifications"]
    assert vpn["StaticRoutesOnly"] is False
    assert [t["TunnelInsideCidr"] for t in (first, second)] == ["169.254.21.0/30", "169.254.21.4/30"]
    for tunnel in (first, second):
        logs = tunnel["LogOptions"]["CloudwatchLogOptions"]
        assert logs["LogEnabled"] is logs["BgpLogEnabled"] is True
        assert tunnel["IKEVersions"] == [{"Value": "ikev2"}]
        assert all("256" in c["Value"] for c in tunnel["Phase1EncryptionAlgorithms"])
    logged = {text(t["LogOptions"]["CloudwatchLogOptions"]["LogGroupArn"]) for t in (first, second)}
    assert len(logged) == 2


def test_routes_of_the_data_center_reach_every_inner_subnet(built: Templates) -> None:
    assert len(built.one("AWS::EC2::VPNGatewayRoutePropagation")["RouteTableIds"]) == 9


def test_the_gateway_speaks_bgp_with_the_files_numbers(built: Templates) -> None:
    assert built.one("AWS::EC2::CustomerGateway")["BgpAsn"] == 65000
    assert built.one("AWS::EC2::CustomerGateway")["IpAddress"] == "203.0.113.10"
    assert built.one("AWS::EC2::VPNGateway")["AmazonSideAsn"] == 64512


def test_one_lost_tunnel_is_told_and_silence_rolls_nothing_back(built: Templates) -> None:
    alarms = {a["AlarmName"]: a for a in built.properties("AWS::CloudWatch::Alarm")}
    assert alarms["alarm-vpn-tunnel-down-prod"]["TreatMissingData"] == "breaching"
    assert alarms["alarm-vpn-down-prod"]["TreatMissingData"] == "missing"
    assert all(alarm["AlarmActions"] for alarm in alarms.values())


def test_direct_connect_is_the_backup_by_what_is_announced(built: Templates) -> None:
    outputs = built.template("connectivity")["Outputs"]
    assert outputs["AnnounceVpn"]["Value"] == "192.168.0.0/17, 192.168.128.0/17"
    assert outputs["AnnounceDirectConnect"]["Value"] == "192.168.0.0/16"
    interface = built.one("AWS::DirectConnect::PrivateVirtualInterface")
    assert interface["ConnectionId"] == "dxcon-fg000001"
    assert interface["Vlan"] == 101
    association = built.one("AWS::DirectConnect::DirectConnectGatewayAssociation")
    assert association["AllowedPrefixesToDirectConnectGateway"] == ["10.0.0.0/16"]
