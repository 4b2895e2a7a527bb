"""How much the templates need of what an account has only so many of. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A quota of AWS. Source: Service Quotas, by its code."""

    kind: str
    """The type of CloudFormation that counts against it."""
    service: str
    code: str
    name: str
    having: tuple[str, str] | None = None
    """Only resources with this property and value count."""
    in_new_vpc: bool = False
    """It counts within the VPC, which is new, so that nothing is in use of it."""

    def counts(self, resource: Mapping[str, Any]) -> bool:
        if resource["Type"] != self.kind:
            return False
        return self.having is None or resource.get("Properties", {}).get(self.having[0]) == self.having[1]


QUOTAS = (
    Quota(kind="AWS::EC2::VPC", service="vpc", code="L-F678F1CE", name="VPCs per Region"),
    Quota(kind="AWS::EC2::EIP", service="ec2", code="L-0263D0A3", name="EC2-VPC Elastic IPs"),
    Quota(kind="AWS::EC2::VPNConnection", service="ec2", code="L-3E6EC3A3", name="VPN connections per Region"),
    Quota(
        kind="AWS::EC2::VPCEndpoint",
        service="vpc",
        code="L-29B6F2EB",
        name="Interface VPC endpoints per VPC",
        having=("VpcEndpointType", "Interface"),
        in_new_vpc=True,
    ),
    Quota(kind="AWS::RDS::DBInstance", service="rds", code="L-7B6409FD", name="DB instances"),
)
"""Those whose defaults are small, or that other systems of an account eat up."""


def needs(templates: Iterable[Mapping[str, Any]]) -> dict[Quota, int]:
    """How many of each quota the resources need; those that need none are left out."""
    resources = [resource for template in templates for resource in template["Resources"].values()]
    counted = {quota: sum(map(quota.counts, resources)) for quota in QUOTAS}
    return {quota: count for quota, count in counted.items() if count}
