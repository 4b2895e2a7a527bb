from crossfade.infra.estimate.quotas import quotas
from crossfade.infra.estimate.resources import Resources, read_resources
from tests.infra.templates import Templates, least, reference

NOTHING = Resources({})


def test_what_the_templates_make_is_counted(built: Templates) -> None:
    found = {quota.name: quota.needed for quota in quotas(reference(), read_resources(built.folder))}
    endpoints = [e["VpcEndpointType"] for e in built.properties("AWS::EC2::VPCEndpoint")]
    assert found["Interface VPC endpoints per VPC"] == endpoints.count("Interface")
    assert found["Subnets per VPC"] == len(built.properties("AWS::EC2::Subnet"))
    assert found["VPN connections per region"] == 1
    assert "EC2-VPC Elastic IPs" not in found, "there is no way out, and no address for one"


def test_test_instances_count_beside_the_servers() -> None:
    tiers = [{"name": "web", "role": "web", "servers": 12}]
    types = {"web": "m6i.2xlarge"}
    with_tests = least(servers={"count": 12, "instance_types": types}, source__tiers=tiers)
    without = least(servers={"count": 12, "instance_types": types, "test": {"enabled": False}}, source__tiers=tiers)
    for file, servers in ((with_tests, 24), (without, 12)):
        (vcpus,) = [quota for quota in quotas(file, NOTHING) if "Standard" in quota.name]
        assert vcpus.needed == servers * 8 + 2, "and one replication server of two"
        assert vcpus.to_raise


def test_a_quota_is_raised_only_when_an_empty_account_is_too_small() -> None:
    addresses = {"Resources": {str(i): {"Type": "AWS::EC2::EIP"} for i in range(6)}}
    (six,) = [quota for quota in quotas(least(), Resources({"a": addresses})) if "Elastic" in quota.name]
    del addresses["Resources"]["0"]
    (five,) = [quota for quota in quotas(least(), Resources({"a": addresses})) if "Elastic" in quota.name]
    assert (six.to_raise, five.to_raise) == (True, False)
    assert quotas(least(), Resources({"a": addresses}))[0].to_raise, "those to raise stand first"
