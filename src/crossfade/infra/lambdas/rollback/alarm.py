"""What CloudWatch tells of an alarm through SNS."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GONE_OFF = "ALARM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One change of an alarm's state."""

    name: str
    state: str
    reason: str
    changed_at: datetime

    @property
    def identity(self) -> str:
        """The same for every delivery of the same change, and for no other."""
        return f"{self.changed_at.astimezone(UTC).isoformat(timespec='milliseconds')}#{self.name}"


def alarms_in(event: dict[str, Any]) -> list[Alarm]:
    """The changes that an invocation carries, oldest first. Raises KeyError or ValueError for anything else."""
    told = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    changes = [
        Alarm(
            name=message["AlarmName"],
            state=message["NewStateValue"],
            reason=message.get("NewStateReason", ""),
            changed_at=datetime.fromisoformat(message["StateChangeTime"]).astimezone(UTC),
        )
        for message in told
    ]
    return sorted(changes, key=lambda alarm: alarm.changed_at)
