"""Where the load balancer sends requests to."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from crossfade.infra.names import resource_name
from crossfade.model.file import MigrationFile
from crossfade.model.file.site import Tier


class TierGroup(elb.ApplicationTargetGroup):
    """The servers or containers of a tier that pass its health check. Who leaves has `traffic.drain_timeout` to end."""

    def __init__(
        self, scope: Construct, kind: str, *, file: MigrationFile, vpc: ec2.IVpc, tier: Tier, of: elb.TargetType
    ) -> None:
        """`kind` with the suffix is its name, and its last part names it in the tree."""
        super().__init__(
            scope,
            f"Group{kind.removeprefix('tg-').removeprefix('target-group-').title().replace('-', '')}",
            target_group_name=resource_name(file, kind),
            vpc=vpc,
            port=tier.port,
            protocol=elb.ApplicationProtocol.HTTP,
            target_type=of,
            deregistration_delay=cdk.Duration.seconds(int(file.traffic.drain_timeout.total_seconds())),
            health_check=elb.HealthCheck(
                path=tier.health_path,
                healthy_http_codes="200",
                interval=cdk.Duration.seconds(10),
                timeout=cdk.Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
        )
