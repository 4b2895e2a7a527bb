"""The weighted records of both sides."""

from typing import Any

ALL, NONE = 255, 0
SOURCE, TARGET = "source", "target"


class RecordsMissing(Exception):
    """The zone does not hold one weighted record a side. Nothing is changed then: somebody must look."""


def weighted(route53: Any, zone: str, name: str) -> dict[str, dict[str, Any]]:
    """The records of `name` by side, as they stand. Raises RecordsMissing."""
    wanted = f"{name.rstrip('.')}."
    page = route53.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=wanted, StartRecordType="CNAME", MaxItems="10"
    )
    found = {
        record["SetIdentifier"]: record
        for record in page["ResourceRecordSets"]
        if record["Name"] == wanted and "Weight" in record
    }
    if found.keys() != {SOURCE, TARGET}:
        raise RecordsMissing(f"{name} has weighted records for {sorted(found) or 'no side'}, not for both sides")
    return found


def all_to_source(route53: Any, zone: str, name: str) -> bool:
    """Bring about that everybody is led to the source; says whether anything had to be changed.

    One change batch: no instant has both weights at zero, which Route 53 would take for equal shares.
    """
    records = weighted(route53, zone, name)
    if records[SOURCE]["Weight"] > 0 and records[TARGET]["Weight"] == NONE:
        return False
    changes = [
        {"Action": "UPSERT", "ResourceRecordSet": {**records[side], "Weight": weight}}
        for side, weight in ((SOURCE, ALL), (TARGET, NONE))
    ]
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Comment": "an alarm led everybody back to the source", "Changes": changes}
    )
    return True
