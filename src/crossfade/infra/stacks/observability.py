"""A12: a dashboard that a person on call can read from top to bottom."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from crossfade.infra.constructs.alarms import metric
from crossfade.infra.names import NAMESPACE
from crossfade.infra.stacks.application import ApplicationStack
from crossfade.infra.stacks.connectivity import ConnectivityStack
from crossfade.infra.stacks.data import DataStack
from crossfade.infra.stacks.replication import ReplicationStack
from crossfade.infra.stacks.stack import MigrationStack
from crossfade.model.file import MigrationFile
from crossfade.model.file.database import TargetEngine
from crossfade.model.file.servers import ServerEngine

_WIDE, _THIRD = 24, 8
_STATES = ("replicating", "ready_for_test", "testing", "ready_for_cutover", "cut_over", "disconnected")


class ObservabilityStack(MigrationStack):
    """What is wrong, where the migration stands, then each part: users, database, servers, link.

    Phase, shares and verdicts are metrics of the namespace `Crossfade`, with the migration as dimension, which the
    engine publishes; the rest is AWS's own.
    """

    def __init__(  # noqa: PLR0913  # it shows every part
        self,
        scope: Construct,
        file: MigrationFile,
        *,
        alarms: Sequence[cloudwatch.IAlarm],
        application: ApplicationStack,
        connectivity: ConnectivityStack,
        data: DataStack,
        replication: ReplicationStack | None,
    ) -> None:
        super().__init__(scope, "observability", file=file, description="dashboard")
        board = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self.named("dashboard"),
            default_interval=cdk.Duration.hours(3),
            period_override=cloudwatch.PeriodOverride.AUTO,
        )
        board.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=_WIDE, height=4))
        board.add_widgets(*self._progress())
        board.add_widgets(*self._users(application))
        board.add_widgets(*self._database(data, replication))
        board.add_widgets(*self._servers_and_link(connectivity))

    def _ours(self, name: str, label: str, **dimensions: str) -> cloudwatch.IMetric:
        of = {"migration": self.file.migration.name, **dimensions}
        return metric(NAMESPACE, name, of, "Maximum").with_(label=label)

    def _progress(self) -> list[cloudwatch.IWidget]:
        phases = "1 prepare, 2 replicate, 3 validate, 4 shadow, 5 canary, 6 cutover, 7 bake, 8 finalize"
        return [
            cloudwatch.SingleValueWidget(
                title=f"Phase ({phases})", metrics=[self._ours("Phase", "phase")], width=_THIRD, height=6
            ),
            cloudwatch.GaugeWidget(
                title="Users on AWS",
                metrics=[self._ours("ShareMeasured", "percent")],
                left_y_axis=cloudwatch.YAxisProps(min=0, max=100),
                width=_THIRD,
                height=6,
            ),
            cloudwatch.GraphWidget(
                title="Verdict (1 promote, 0 hold, -1 abort) and evidence",
                left=[self._ours("Verdict", "verdict")],
                right=[self._ours("EvidenceAgainst", "e-value against the canary")],
                width=_THIRD,
                height=6,
            ),
        ]

    def _users(self, application: ApplicationStack) -> list[cloudwatch.IWidget]:
        of = {"LoadBalancer": application.balancer.load_balancer_full_name}
        limits = self.file.limits
        return [
            cloudwatch.GraphWidget(
                title="Share wanted and measured (percent)",
                left=[self._ours("ShareWanted", "wanted"), self._ours("ShareMeasured", "measured")],
                left_y_axis=cloudwatch.YAxisProps(min=0, max=100),
                width=_THIRD,
                height=6,
            ),
            cloudwatch.GraphWidget(
                title="Errors (percent): legacy beside modern",
                left=[self._ours("ErrorRate", arm, arm=arm) for arm in ("baseline", "canary")],
                left_annotations=[
                    cloudwatch.HorizontalAnnotation(value=limits.max_error_rate_percent, label="limit", color="#d62728")
                ],
                width=_THIRD,
                height=6,
            ),
            cloudwatch.GraphWidget(
                title="p95 (seconds): legacy beside modern",
                left=[
                    *(self._ours("P95Seconds", arm, arm=arm) for arm in ("baseline", "canary")),
                    metric("AWS/ApplicationELB", "TargetResponseTime", of, "p95").with_(label="load balancer"),
                ],
                left_annotations=[
                    cloudwatch.HorizontalAnnotation(
                        value=limits.max_p95.total_seconds(), label="limit", color="#d62728"
                    )
                ],
                width=_THIRD,
                height=6,
            ),
        ]

    def _database(self, data: DataStack, replication: ReplicationStack | None) -> list[cloudwatch.IWidget]:
        aurora = self.file.database.target.engine is TargetEngine.AURORA
        of = {"DBClusterIdentifier" if aurora else "DBInstanceIdentifier": data.identifier}
        late: list[cloudwatch.IMetric] = [self._ours("ReplicationLagSeconds", "newest arrived marker")]
        rows: list[cloudwatch.IMetric] = [self._ours("TablesWithErrors", "tables with errors")]
        if replication is not None:
            task = {
                "ReplicationInstanceIdentifier": self.named("replication-instance"),
                "ReplicationTaskIdentifier": replication.task,
            }
            late += [
                metric("AWS/DMS", name, task, "Maximum").with_(label=label)
                for name, label in (("CDCLatencySource", "DMS, source"), ("CDCLatencyTarget", "DMS, target"))
            ]
            rows += [metric("AWS/DMS", "ValidationFailedOverallCount", task, "Maximum").with_(label="rows that differ")]
        limit = self.file.database.replication.max_lag_time.total_seconds()
        return [
            cloudwatch.GraphWidget(
                title="Replication lag (seconds)",
                left=late,
                left_annotations=[cloudwatch.HorizontalAnnotation(value=limit, label="limit", color="#d62728")],
                width=_THIRD,
                height=6,
            ),
            cloudwatch.GraphWidget(title="Tables and rows with errors", left=rows, width=_THIRD, height=6),
            cloudwatch.GraphWidget(
                title="Target database: CPU (percent) and connections",
                left=[metric("AWS/RDS", "CPUUtilization", of, "Average")],
                right=[metric("AWS/RDS", "DatabaseConnections", of, "Maximum")],
                width=_THIRD,
                height=6,
            ),
        ]

    def _servers_and_link(self, connectivity: ConnectivityStack) -> list[cloudwatch.IWidget]:
        engine = "MGN" if self.file.servers.engine is ServerEngine.MGN else "CloudEndure"
        vpn = {"VpnId": connectivity.vpn.attr_vpn_connection_id}
        link: list[cloudwatch.IMetric] = [
            metric("AWS/VPN", "TunnelState", vpn, "Minimum").with_(label="both tunnels (BGP established)"),
            metric("AWS/VPN", "TunnelState", vpn, "Maximum").with_(label="any tunnel"),
        ]
        carried: list[cloudwatch.IMetric] = [
            metric("AWS/VPN", name, vpn, "Sum") for name in ("TunnelDataIn", "TunnelDataOut")
        ]
        if connectivity.virtual_interface is not None:
            of = {"ConnectionId": str(self.file.connectivity.direct_connect.connection)}
            link.append(metric("AWS/DX", "ConnectionState", of, "Minimum").with_(label="Direct Connect"))
            carried.append(metric("AWS/DX", "ConnectionBpsIngress", of, "Average"))
        return [
            cloudwatch.GraphWidget(
                title=f"Servers by status ({engine})",
                left=[self._ours("Servers", state.replace("_", " "), status=state) for state in _STATES],
                stacked=True,
                width=_THIRD,
                height=6,
            ),
            cloudwatch.GraphWidget(
                title="Link (1 up, 0 down)",
                left=link,
                left_y_axis=cloudwatch.YAxisProps(min=0, max=1),
                width=_THIRD,
                height=6,
            ),
            cloudwatch.GraphWidget(title="Carried over the link", left=carried, width=_THIRD, height=6),
        ]
