"""A roll back that needs nothing but itself: it moves the weights first, and records and tells second.

It is right however often and in whatever order alarms arrive: it brings about an end (everybody on the source), records
under a name that is the alarm's, and judges a late alarm by how the alarm stands now. It never acts once the target
takes writes, and not when it cannot know who does: leading users to a fenced source would be an outage, and missing
data holds. What fails is raised, so that Lambda tries again and, in the end, keeps the alarm in a queue.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import boto3
from botocore.config import Config

from .alarm import GONE_OFF, Alarm, alarms_in
from .weights import all_to_source

LOG = logging.getLogger("rollback")
LOG.setLevel(logging.INFO)
_PATIENT = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=3, read_timeout=5)


class Did(StrEnum):
    """What became of an alarm."""

    MOVED = "moved"
    ALREADY = "already"
    NOT_GONE_OFF = "not_gone_off"
    LATE_AND_OVER = "late_and_over"
    TARGET_WRITES = "target_writes"
    WRITER_UNKNOWN = "writer_unknown"


_TOLD = {
    Did.MOVED: "Everybody is led back to the source.",
    Did.ALREADY: "Everybody was on the source already; nothing had to be changed.",
    Did.TARGET_WRITES: "Nothing was changed: the target takes the writes, so only the engine can fail back.",
    Did.WRITER_UNKNOWN: "Nothing was changed: the tracking table does not say which side takes the writes.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the function acts on."""

    migration: str
    zone: str
    record: str
    table: str
    topic: str
    fresh: timedelta
    """An alarm older than this is late, and counts only if it still stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Clients of AWS."""

    cloudwatch: Any
    dynamodb: Any
    route53: Any
    sns: Any


def handle(event: dict[str, Any], _context: object) -> dict[str, list[str]]:
    """The function's entrance."""
    services = Services(
        **{name: boto3.client(name, config=_PATIENT) for name in ("cloudwatch", "dynamodb", "route53", "sns")}
    )
    place = place_from(os.environ)
    return {"did": [str(roll_back(alarm, place, services, datetime.now(UTC))) for alarm in alarms_in(event)]}


def place_from(environment: Mapping[str, str]) -> Place:
    return Place(
        migration=environment["MIGRATION"],
        zone=environment["HOSTED_ZONE"],
        record=environment["RECORD"],
        table=environment["TRACKING_TABLE"],
        topic=environment["TOPIC"],
        fresh=timedelta(seconds=int(environment["FRESH_SECONDS"])),
    )


def roll_back(alarm: Alarm, place: Place, services: Services, now: datetime) -> Did:
    """What is right to do about one alarm, done. Doing it again does nothing more."""
    did = _move(alarm, place, services, now)
    LOG.info("%s", json.dumps({"alarm": alarm.name, "changed_at": alarm.changed_at.isoformat(), "did": did}))
    if did in _TOLD and _record(alarm, did, place, services, now):
        services.sns.publish(
            TopicArn=place.topic,
            Subject=f"{place.migration}: {alarm.name}"[:100],
            Message=f"{alarm.name} went off: {alarm.reason}\n{_TOLD[did]}",
        )
    return did


def _move(alarm: Alarm, place: Place, services: Services, now: datetime) -> Did:
    if alarm.state != GONE_OFF:
        return Did.NOT_GONE_OFF
    if now - alarm.changed_at > place.fresh and not _stands(alarm, services):
        return Did.LATE_AND_OVER
    writer = _writer(place, services)
    if writer != "source":
        return Did.TARGET_WRITES if writer == "target" else Did.WRITER_UNKNOWN
    return Did.MOVED if all_to_source(services.route53, place.zone, place.record) else Did.ALREADY


def _stands(alarm: Alarm, services: Services) -> bool:
    """Whether the alarm is still on, whatever the order in which its changes arrived."""
    told = services.cloudwatch.describe_alarms(AlarmNames=[alarm.name], AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    listed = (*told.get("CompositeAlarms", ()), *told.get("MetricAlarms", ()))
    return any(one["StateValue"] == GONE_OFF for one in listed)


def _writer(place: Place, services: Services) -> str | None:
    item = services.dynamodb.get_item(
        TableName=place.table,
        Key={"migration": {"S": place.migration}, "item": {"S": "state"}},
        ConsistentRead=True,
        ProjectionExpression="writer",
    ).get("Item", {})
    writer: str | None = item.get("writer", {}).get("S")
    return writer


def _record(alarm: Alarm, did: Did, place: Place, services: Services, now: datetime) -> bool:
    """Keep what was done, once for each change of an alarm; says whether it was the first time."""
    try:
        services.dynamodb.put_item(
            TableName=place.table,
            Item={
                "migration": {"S": place.migration},
                "item": {"S": f"alarm#{alarm.identity}"},
                "event_of": {"S": place.migration},
                "position": {"S": f"alarm#{alarm.identity}"},
                "did": {"S": str(did)},
                "reason": {"S": alarm.reason[:1000]},
                "at": {"S": now.isoformat()},
            },
            ConditionExpression="attribute_not_exists(#item)",
            ExpressionAttributeNames={"#item": "item"},
        )
    except services.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True
