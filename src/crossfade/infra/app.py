"""The CDK application: which stacks a file leads to, and how they are composed. Reads nothing but the file."""

import aws_cdk as cdk

from crossfade.infra import wants
from crossfade.infra.attached import Attached
from crossfade.infra.names import tags_of
from crossfade.infra.stacks.application import ApplicationStack
from crossfade.infra.stacks.connectivity import ConnectivityStack
from crossfade.infra.stacks.containers import ContainersStack
from crossfade.infra.stacks.data import DataStack
from crossfade.infra.stacks.dns import DnsStack
from crossfade.infra.stacks.events import EventsStack
from crossfade.infra.stacks.files import FilesStack
from crossfade.infra.stacks.network import NetworkStack
from crossfade.infra.stacks.notifications import NotificationsStack
from crossfade.infra.stacks.observability import ObservabilityStack
from crossfade.infra.stacks.replication import ReplicationStack
from crossfade.infra.stacks.rollback import RollbackStack
from crossfade.infra.stacks.servers import ServersStack
from crossfade.infra.stacks.tools import ToolsStack
from crossfade.infra.stacks.validation import ValidationStack
from crossfade.model.file import MigrationFile

_FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-ec2:restrictDefaultSecurityGroup": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
    "@aws-cdk/customresources:installLatestAwsSdkDefault": False,
    "@aws-cdk/aws-lambda:recognizeLayerVersion": True,
    "aws:cdk:disable-version-reporting": True,
}
"""What CDK would otherwise do in the way of its first releases."""


def build(file: MigrationFile, *, outdir: str, attached: Attached) -> cdk.App:
    """The whole application, not yet synthesised. Every resource of it carries the tags."""
    app = cdk.App(outdir=outdir, analytics_reporting=False, context={**_FLAGS, **_zones(file)})
    for name, value in tags_of(file).items():  # once for all stacks: each call is a round trip to Node
        cdk.Tags.of(app).add(name, value)
    network = NetworkStack(app, file)
    notifications = NotificationsStack(app, file)
    told = notifications.errors
    connectivity = ConnectivityStack(app, file, network=network, told=told)
    events = EventsStack(app, file)
    data = DataStack(app, file, network=network, told=told)
    replication = None
    if wants.dms(file):
        replication = ReplicationStack(
            app, file, network=network, data=data, told=told, certificates=attached.certificates
        )
    application = ApplicationStack(app, file, network=network, told=told)
    if application.versions is not None:
        ContainersStack(
            app, file, network=network, versions=application.versions, alarms=list(application.alarms.values())
        )
    dns = DnsStack(app, file, network=network, balancer=application.balancer, healthy=application.checked)
    triggers = [*application.alarms.values(), connectivity.both_down, *([replication.late] if replication else [])]
    if events.tracking is not None:
        RollbackStack(app, file, dns=dns, events=events, notifications=notifications, triggers=triggers)
    validation = ValidationStack(app, file, data=data, attached=attached)
    servers = ServersStack(app, file, network=network, data=data)
    servers.add_stack_dependency(validation, "MGN runs its document after a launch")
    if wants.tools(file):
        ToolsStack(app, file, events=events)
    if file.files.shares:
        FilesStack(app, file, network=network)
    if file.metrics.dashboard:
        ObservabilityStack(
            app,
            file,
            alarms=triggers,
            application=application,
            connectivity=connectivity,
            data=data,
            replication=replication,
        )
    return app


def _zones(file: MigrationFile) -> dict[str, object]:
    """The zones as a lookup's answer: with an explicit account CDK would ask AWS for them."""
    account, region = file.environment.account, file.environment.region
    if account is None:
        return {}
    return {f"availability-zones:account={account}:region={region}": list(file.target.zone_names(region))}
