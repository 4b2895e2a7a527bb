"""A3: what CloudEndure may do, for the accounts that still have it; it takes no new customers.

CloudEndure's console replicates with the access key of a user. Its published policy let that user make networks and tag
whatever it liked; here network and groups stand already, so that this is left out, and what changes or ends an instance
or a volume is confined to those that CloudEndure has tagged as its own.
"""

from aws_cdk import aws_iam as iam

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.users import ProgramUser
from crossfade.infra.reach import Party
from crossfade.infra.stacks.network import PRIVATE, STAGING, NetworkStack
from crossfade.infra.stacks.stack import MigrationStack, acknowledge

LOOKS = (
    *(
        f"ec2:Describe{what}"
        for what in (
            "AccountAttributes",
            "Addresses",
            "AvailabilityZones",
            "Images",
            "InstanceAttribute",
            "InstanceStatus",
            "InstanceTypes",
            "Instances",
            "KeyPairs",
            "NetworkAcls",
            "NetworkInterfaces",
            "PlacementGroups",
            "Regions",
            "RouteTables",
            "SecurityGroups",
            "Snapshots",
            "Subnets",
            "Tags",
            "VolumeStatus",
            "Volumes",
            "VpcAttribute",
            "Vpcs",
        )
    ),
    "elasticloadbalancing:DescribeLoadBalancers",
    "iam:ListInstanceProfiles",
    "kms:ListKeys",
)
"""What it looks at to offer choices in its console. None of them has resources to IAM."""
CHANGES = (
    "ec2:AttachVolume",
    "ec2:DeleteVolume",
    "ec2:DetachVolume",
    "ec2:GetConsoleOutput",
    "ec2:GetConsoleScreenshot",
    "ec2:ModifyInstanceAttribute",
    "ec2:ModifyVolumeAttribute",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "ec2:TerminateInstances",
)
"""What is done to instances and volumes, and only to its own."""
OWN = (
    ("Named", {"StringLike": {"ec2:ResourceTag/Name": "CloudEndure*"}}),
    ("Created", {"StringLike": {"ec2:ResourceTag/CloudEndure creation time": "*"}}),
)
"""How CloudEndure marks what it has made. Source: CloudEndure documentation, IAM policy."""


class CloudEndureUser(ProgramUser):
    """The user whose access key is entered in CloudEndure's console.

    It replicates into the staging subnets, launches into the private ones, behind groups that stand there already.
    """

    def __init__(self, scope: MigrationStack, *, network: NetworkStack, key: StackKey, server_role: iam.IRole) -> None:
        super().__init__(scope, "CloudEndure", file=scope.file, kind="cloudendure", key=key)
        self._stack = scope
        self.may("Look", LOOKS, ["*"])
        self.may("LookAtItself", ["iam:GetUser"], [self.user_arn])
        self._launch(network)
        self._snapshots()
        for name, condition in OWN:
            self.may(f"ChangeIts{name}", CHANGES, self._all("instance", "volume"), condition)
        self.may("LaunchAsServers", ["iam:PassRole"], [server_role.role_arn], _passed("ec2.amazonaws.com"))
        self._encrypt(key)
        if not scope.file.servers.staging.private_routing:
            self._public_addresses()
        self._acknowledge()

    def _all(self, *kinds: str) -> list[str]:
        """Every resource of the kinds in the region; images and snapshots may be somebody else's."""
        ec2 = self._stack
        return [
            ec2.format_arn(
                service="ec2",
                account="" if kind in {"image", "snapshot"} else ec2.account,
                resource=kind,
                resource_name="*",
            )
            for kind in kinds
        ]

    def _launch(self, network: NetworkStack) -> None:
        """Into our subnets and behind our groups; what is new is tagged as it is made."""
        subnets = [s for of in (STAGING, PRIVATE) for s in network.vpc.select_subnets(subnet_group_name=of).subnet_ids]
        groups = [network.groups[party].security_group_id for party in (Party.STAGING, Party.SERVERS)]
        format_arn = self._stack.format_arn
        places = [format_arn(service="ec2", resource="subnet", resource_name=s) for s in subnets]
        places += [format_arn(service="ec2", resource="security-group", resource_name=g) for g in groups]
        self.may("LaunchHere", ["ec2:RunInstances"], places)
        of_launch = self._all("image", "instance", "key-pair", "network-interface", "snapshot", "volume")
        self.may("LaunchWhat", ["ec2:RunInstances"], of_launch)
        self.may("CreateVolumes", ["ec2:CreateVolume"], self._all("volume", "snapshot"))
        created = {"StringEquals": {"ec2:CreateAction": ["RunInstances", "CreateVolume", "CreateSnapshot"]}}
        tagged = self._all("instance", "network-interface", "snapshot", "volume")
        self.may("TagWhatItCreates", ["ec2:CreateTags"], tagged, created)

    def _snapshots(self) -> None:
        """Of its volumes, and images of those snapshots; it ends only its own."""
        for name, condition in OWN:
            self.may(f"SnapshotIts{name}", ["ec2:CreateSnapshot"], self._all("volume"), condition)
            ending = ["ec2:DeleteSnapshot", "ec2:DeregisterImage"]
            self.may(f"EndIts{name}", ending, self._all("snapshot", "image"), condition)
        self.may("CreateSnapshots", ["ec2:CreateSnapshot"], self._all("snapshot"))
        self.may("RegisterImages", ["ec2:RegisterImage"], self._all("image", "snapshot"))

    def _encrypt(self, key: StackKey) -> None:
        use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext"]
        self.may("EncryptVolumes", [*use, "kms:ReEncryptFrom", "kms:ReEncryptTo"], [key.key_arn])
        of_volumes = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        self.may("GrantToVolumes", ["kms:CreateGrant"], [key.key_arn], of_volumes)

    def _public_addresses(self) -> None:
        """`servers.staging.private_routing: false` replicates over the internet."""
        giving = ["ec2:AllocateAddress", "ec2:AssociateAddress", "ec2:DisassociateAddress", "ec2:ReleaseAddress"]
        addresses = self._all("elastic-ip", "instance", "network-interface")
        self.may("PublicAddresses", giving, addresses)
        acknowledge(self, _WHY_ANY, self._finding("elastic-ip"))

    def _acknowledge(self) -> None:
        acknowledge(self, _NO_RESOURCE, "AwsSolutions-IAM5[Resource::*]")
        kinds = ("image", "instance", "key-pair", "network-interface", "snapshot", "volume")
        acknowledge(self, _WHY_ANY, *(self._finding(kind) for kind in kinds))

    def _finding(self, kind: str) -> str:
        owner = "" if kind in {"image", "snapshot"} else self._stack.account_text
        return f"AwsSolutions-IAM5[Resource::arn:aws:ec2:{self._stack.region}:{owner}:{kind}/*]"


_NO_RESOURCE = "What describes and lists has no resource to IAM (service authorization reference)."
_WHY_ANY = (
    "What is launched, and the image it is launched from, has no name before. Subnets and security groups are named; "
    "changing and ending is confined to what CloudEndure has tagged."
)


def _passed(service: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"iam:PassedToService": service}}
