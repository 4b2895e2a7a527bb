"""A3: what CloudEndure may do to an account that still has it, and where it replicates to."""

from typing import Any

import pytest

from crossfade.infra.constructs.cloudendure import CHANGES
from crossfade.infra.synthesis import synthesise
from tests.infra.granted import granted, statements
from tests.infra.templates import Templates, least, survivors, text

MARKS = (
    {"StringLike": {"ec2:ResourceTag/Name": "CloudEndure*"}},
    {"StringLike": {"ec2:ResourceTag/CloudEndure creation time": "*"}},
)

HERE = ("stagingSubnet", "privateSubnet", "GroupStaging", "GroupServers")


def said(templates: Templates) -> list[dict[str, Any]]:
    return statements(templates, "group-cloudendure")


def allowing(templates: Templates, action: str) -> list[dict[str, Any]]:
    return [s for s in said(templates) if action == s["Action"] or action in s["Action"]]


@pytest.mark.parametrize("action", [*CHANGES, "ec2:DeleteSnapshot", "ec2:DeregisterImage"])
def test_only_what_cloudendure_has_tagged_is_changed_or_ended(otherwise: Templates, action: str) -> None:
    assert [statement["Condition"] for statement in allowing(otherwise, action)] == list(MARKS)


def test_nothing_is_tagged_as_its_own_that_it_does_not_create(otherwise: Templates) -> None:
    """Or the marks would confine nobody."""
    (statement,) = allowing(otherwise, "ec2:CreateTags")
    created = statement["Condition"]["StringEquals"]["ec2:CreateAction"]
    assert set(created) == {"RunInstances", "CreateVolume", "CreateSnapshot"}


def test_it_launches_into_our_subnets_behind_our_groups_only(otherwise: Templates) -> None:
    places, what = allowing(otherwise, "ec2:RunInstances")
    said_once = [next(w for w in HERE if w in text(place)) for place in places["Resource"]]
    assert sorted(said_once) == ["GroupServers", "GroupStaging", *["privateSubnet"] * 3, *["stagingSubnet"] * 3]
    assert not any(kind in text(what["Resource"]) for kind in ("subnet/", "security-group/"))


def test_it_makes_no_network_and_no_group(otherwise: Templates) -> None:
    words = ("Vpc", "Subnet", "Gateway", "Route", "SecurityGroup", "Acl", "Dhcp", "Address", "KeyPair")
    made = [a for a in granted(otherwise, "group-cloudendure") if not a.startswith("ec2:Describe")]
    assert not [action for action in made if any(word in action for word in words)]


def test_launched_servers_get_the_servers_role_and_no_other(otherwise: Templates) -> None:
    (statement,) = allowing(otherwise, "iam:PassRole")
    assert "ServerRole" in text(statement["Resource"])
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_volumes_are_encrypted_with_the_stacks_own_key(otherwise: Templates) -> None:
    for action in ("kms:Decrypt", "kms:CreateGrant"):
        (statement,) = allowing(otherwise, action)
        assert "Key" in text(statement["Resource"])
        assert "*" not in text(statement["Resource"])


def test_its_access_key_lies_in_a_secret_and_nowhere_else(otherwise: Templates) -> None:
    """CloudFormation cannot delete a user who has a key that it does not know."""
    template = otherwise.template("servers")
    (key,) = [i for i, r in template["Resources"].items() if r["Type"] == "AWS::IAM::AccessKey"]
    naming = [i for i, r in template["Resources"].items() if text(["SecretAccessKey"])[1:-1] in text(r)]
    secrets = {i for i, r in template["Resources"].items() if r["Type"] == "AWS::SecretsManager::Secret"}
    assert set(naming) == secrets
    assert "SecretAccessKey" not in text(template.get("Outputs", {}))
    assert key
    users = {user["UserName"]: user for user in otherwise.properties("AWS::IAM::User")}
    assert "user-cloudendure-prod" in users
    for user in users.values():
        assert not {"LoginProfile", "Policies", "ManagedPolicyArns"} & user.keys()


def test_mgn_gets_nothing_where_cloudendure_replicates(otherwise: Templates) -> None:
    assert not any(r["Type"].startswith("AWS::MGN::") for _, r in otherwise.every())
    assert not list(otherwise.every("Custom::ReplicationTemplate"))
    assert "mgn.amazonaws.com" not in text(otherwise.properties("AWS::KMS::Key"))


def test_the_agents_reach_the_staging_area_by_the_port_that_they_use(otherwise: Templates) -> None:
    came = {
        (p["FromPort"], p["ToPort"])
        for p in otherwise.properties("AWS::EC2::SecurityGroupIngress")
        if "GroupStaging" in text(p["GroupId"])
    }
    assert came == {(1500, 1500)}
    left = {
        p["FromPort"]
        for p in otherwise.properties("AWS::EC2::SecurityGroupEgress")
        if "GroupStaging" in text(p["GroupId"])
    }
    assert left == {443}


def test_it_gets_public_addresses_only_when_it_replicates_over_the_internet(
    otherwise: Templates, tmp_path: Any
) -> None:
    addresses = {"ec2:AllocateAddress", "ec2:AssociateAddress", "ec2:DisassociateAddress", "ec2:ReleaseAddress"}
    assert not addresses & granted(otherwise, "group-cloudendure")
    file = least(servers__engine="cloudendure", servers__staging={"private_routing": False})
    synthesise(file, tmp_path / "cdk.out", review=True)
    public = Templates(tmp_path / "cdk.out")
    assert addresses <= granted(public, "group-cloudendure")
    assert survivors(public) == []
