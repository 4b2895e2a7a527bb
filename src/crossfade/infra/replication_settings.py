"""The settings of MGN's replication template, and the instance types of launched servers. Pure."""

from crossfade.infra.names import tags_of
from crossfade.model.file import MigrationFile

_KILOBIT = 1000


def replication_settings(file: MigrationFile, *, subnet: str, group: str, key_arn: str) -> dict[str, object]:
    """Named as `mgn:CreateReplicationConfigurationTemplate` names them, whose request this is."""
    staging = file.servers.staging
    return {
        "associateDefaultSecurityGroup": False,
        "bandwidthThrottling": (staging.bandwidth_limit or 0) // _KILOBIT // _KILOBIT,
        "createPublicIP": not staging.private_routing,
        "dataPlaneRouting": "PRIVATE_IP" if staging.private_routing else "PUBLIC_IP",
        "defaultLargeStagingDiskType": "GP3",
        "ebsEncryption": "CUSTOM",
        "ebsEncryptionKeyArn": key_arn,
        "replicationServerInstanceType": staging.instance_type,
        "replicationServersSecurityGroupsIDs": [group],
        "stagingAreaSubnetId": subnet,
        "stagingAreaTags": tags_of(file),
        "useDedicatedReplicationServer": staging.dedicated,
    }


def instance_types(file: MigrationFile) -> dict[str, str]:
    """The instance type of each tier's servers, by which the engine sets their launch templates."""
    tiers = [tier.name for tier in file.source.tiers] or ["servers"]
    return {tier: file.servers.instance_types.get(tier, file.target.instance_type) for tier in tiers}
