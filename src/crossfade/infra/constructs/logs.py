"""Log groups: encrypted, kept as long as the file says, and gone with their stack."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.names import retention_days
from crossfade.model.file import MigrationFile

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    2192: logs.RetentionDays.SIX_YEARS,
    2557: logs.RetentionDays.SEVEN_YEARS,
    2922: logs.RetentionDays.EIGHT_YEARS,
    3288: logs.RetentionDays.NINE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}


def log_groups(scope: Construct, file: MigrationFile, key: StackKey, names: dict[str, str]) -> dict[str, logs.LogGroup]:
    """A group for each entry (id in the tree: name of the group), which the key's policy then allows and no others."""
    key.allow_logs(*names.values())
    return {
        identity: logs.LogGroup(
            scope,
            identity,
            log_group_name=name,
            encryption_key=key,
            retention=_RETENTION[retention_days(file.metrics.log_retention_days)],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        for identity, name in names.items()
    }
