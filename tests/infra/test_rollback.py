"""The function that rolls back: every request and answer is held to the service's own model by botocore."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.infra.lambdas import rollback
from crossfade.infra.lambdas.rollback.alarm import Alarm, alarms_in
from crossfade.infra.lambdas.rollback.handler import Did, Place, Services, place_from, roll_back
from crossfade.infra.lambdas.rollback.weights import RecordsMissing, all_to_source
from tests.infra.granted import LOGGING, calls, client, granted
from tests.infra.templates import Templates

NOW = datetime(2027, 1, 16, 3, 0, tzinfo=UTC)
NAME = "app.ledger.internal"
PLACE = Place(
    migration="ledger",
    zone="Z0123456789ABCDEFGHIJ",
    record=NAME,
    table="table-tracking-prod",
    topic="arn:aws:sns:us-east-1:123456789012:topic-error-prod",
    fresh=timedelta(minutes=2),
)


def alarm(state: str = "ALARM", age: timedelta = timedelta(seconds=5)) -> Alarm:
    return Alarm(name="alarm-rollback-prod", state=state, reason="p95 is 900 ms", changed_at=NOW - age)


def record(side: str, weight: int) -> dict[str, Any]:
    return {
        "Name": f"{NAME}.",
        "Type": "CNAME",
        "TTL": 30,
        "SetIdentifier": side,
        "Weight": weight,
        "ResourceRecords": [{"Value": f"{side}.{NAME}"}],
    }


@dataclass
class Doubles:
    services: Services
    cloudwatch: Stubber
    dynamodb: Stubber
    route53: Stubber
    sns: Stubber

    def stands(self, state: str) -> None:
        answer = {"CompositeAlarms": [{"AlarmName": "alarm-rollback-prod", "StateValue": state}]}
        asked = {"AlarmNames": ["alarm-rollback-prod"], "AlarmTypes": ["CompositeAlarm", "MetricAlarm"]}
        self.cloudwatch.add_response("describe_alarms", answer, asked)

    def writes(self, writer: str | None) -> None:
        item = {"Item": {"writer": {"S": writer}}} if writer else {}
        asked = {
            "TableName": PLACE.table,
            "Key": {"migration": {"S": "ledger"}, "item": {"S": "state"}},
            "ConsistentRead": True,
            "ProjectionExpression": "writer",
        }
        self.dynamodb.add_response("get_item", item, asked)

    def weights(self, source: int, target: int) -> None:
        answer = {
            "ResourceRecordSets": [record("source", source), record("target", target)],
            "IsTruncated": False,
            "MaxItems": "10",
        }
        asked = {
            "HostedZoneId": PLACE.zone,
            "StartRecordName": f"{NAME}.",
            "StartRecordType": "CNAME",
            "MaxItems": "10",
        }
        self.route53.add_response("list_resource_record_sets", answer, asked)

    def moved(self) -> None:
        info = {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": NOW}
        changes = [
            {"Action": "UPSERT", "ResourceRecordSet": record("source", 255)},
            {"Action": "UPSERT", "ResourceRecordSet": record("target", 0)},
        ]
        batch = {"Comment": "an alarm led everybody back to the source", "Changes": changes}
        asked = {"HostedZoneId": PLACE.zone, "ChangeBatch": batch}
        self.route53.add_response("change_resource_record_sets", {"ChangeInfo": info}, asked)

    def recorded(self) -> None:
        self.dynamodb.add_response("put_item", {})

    def recorded_before(self) -> None:
        self.dynamodb.add_client_error("put_item", "ConditionalCheckFailedException", http_status_code=400)

    def told(self) -> None:
        self.sns.add_response("publish", {"MessageId": "1"})


@pytest.fixture
def doubles() -> Iterator[Doubles]:
    names = ("cloudwatch", "dynamodb", "route53", "sns")
    clients = {name: client(name) for name in names}
    stubbers = {name: Stubber(clients[name]) for name in names}
    with ExitStack() as stack:
        for stubber in stubbers.values():
            stack.enter_context(stubber)
        yield Doubles(services=Services(**clients), **stubbers)
        for stubber in stubbers.values():
            stubber.assert_no_pending_responses()


def test_everybody_is_led_back_recorded_and_told_when_an_alarm_goes_off(doubles: Doubles) -> None:
    doubles.writes("source")
    doubles.weights(191, 64)
    doubles.moved()
    doubles.recorded()
    doubles.told()
    assert roll_back(alarm(), PLACE, doubles.services, NOW) is Did.MOVED


def test_nothing_changes_and_nobody_is_told_again_when_an_alarm_is_delivered_twice(doubles: Doubles) -> None:
    doubles.writes("source")
    doubles.weights(255, 0)
    doubles.recorded_before()
    assert roll_back(alarm(), PLACE, doubles.services, NOW) is Did.ALREADY


def test_nothing_is_asked_when_an_alarm_ends(doubles: Doubles) -> None:
    assert roll_back(alarm("OK"), PLACE, doubles.services, NOW) is Did.NOT_GONE_OFF
    assert roll_back(alarm("INSUFFICIENT_DATA"), PLACE, doubles.services, NOW) is Did.NOT_GONE_OFF


def test_nothing_moves_when_a_late_alarm_is_over(doubles: Doubles) -> None:
    doubles.stands("OK")
    assert roll_back(alarm(age=timedelta(minutes=9)), PLACE, doubles.services, NOW) is Did.LATE_AND_OVER


def test_a_late_alarm_counts_when_it_still_stands(doubles: Doubles) -> None:
    doubles.stands("ALARM")
    doubles.writes("source")
    doubles.weights(191, 64)
    doubles.moved()
    doubles.recorded()
    doubles.told()
    assert roll_back(alarm(age=timedelta(minutes=9)), PLACE, doubles.services, NOW) is Did.MOVED


@pytest.mark.parametrize(("writer", "did"), [("target", Did.TARGET_WRITES), (None, Did.WRITER_UNKNOWN)])
def test_weights_stay_and_people_are_told_when_the_source_may_not_take_writes(
    doubles: Doubles, writer: str | None, did: Did
) -> None:
    doubles.writes(writer)
    doubles.recorded()
    doubles.told()
    assert roll_back(alarm(), PLACE, doubles.services, NOW) is did


def test_a_failure_is_raised_so_that_it_is_tried_again(doubles: Doubles) -> None:
    doubles.writes("source")
    doubles.weights(191, 64)
    doubles.route53.add_client_error("change_resource_record_sets", "PriorRequestNotComplete", http_status_code=400)
    with pytest.raises(ClientError, match="PriorRequestNotComplete"):
        roll_back(alarm(), PLACE, doubles.services, NOW)


def test_it_goes_on_where_a_failed_attempt_stopped(doubles: Doubles) -> None:
    """The weights were moved, then recording was throttled: the next attempt records and tells."""
    doubles.writes("source")
    doubles.weights(255, 0)
    doubles.recorded()
    doubles.told()
    assert roll_back(alarm(), PLACE, doubles.services, NOW) is Did.ALREADY


def test_nothing_is_changed_when_a_side_has_no_record(doubles: Doubles) -> None:
    answer = {"ResourceRecordSets": [record("source", 255)], "IsTruncated": False, "MaxItems": "10"}
    doubles.route53.add_response("list_resource_record_sets", answer)
    with pytest.raises(RecordsMissing, match="source"):
        all_to_source(doubles.services.route53, PLACE.zone, NAME)


def message(name: str, at: datetime, state: str = "ALARM") -> dict[str, Any]:
    said = {"AlarmName": name, "NewStateValue": state, "StateChangeTime": at.strftime("%Y-%m-%dT%H:%M:%S.%f+0000")}
    return {"Sns": {"Message": json.dumps(said)}}


@settings(deadline=None)  # a loaded machine is no fault
@given(st.permutations([0, 7, 7200, 86400]))
def test_alarms_are_heard_oldest_first_however_they_arrive(order: list[int]) -> None:
    event = {"Records": [message("a", NOW + timedelta(seconds=s)) for s in order]}
    heard = alarms_in(event)
    assert [a.changed_at for a in heard] == sorted(a.changed_at for a in heard)
    assert len({a.identity for a in heard}) == len(order)


def test_deliveries_of_one_change_have_one_identity() -> None:
    first, second = alarms_in({"Records": [message("a", NOW), message("a", NOW)]})
    assert first.identity == second.identity


@pytest.mark.parametrize(
    "written", ["2027-01-16T03:00:00.000+0000", "2027-01-16T03:00:00Z", "2027-01-15T22:00:00-05:00"]
)
def test_the_time_of_an_alarm_is_understood_however_it_is_written(written: str) -> None:
    said = {"AlarmName": "a", "NewStateValue": "ALARM", "StateChangeTime": written}
    (heard,) = alarms_in({"Records": [{"Sns": {"Message": json.dumps(said)}}]})
    assert heard.changed_at == NOW


def test_its_settings_are_those_that_the_stack_gives(built: Templates) -> None:
    function = next(f for f in built.properties("AWS::Lambda::Function") if f.get("FunctionName"))
    given_to_it = function["Environment"]["Variables"]
    place = place_from({name: value if isinstance(value, str) else "x" for name, value in given_to_it.items()})
    assert (place.migration, place.record, place.fresh) == ("ledger", NAME, timedelta(minutes=2))
    assert function["Handler"] == "rollback.handler.handle"


def test_it_may_do_what_its_code_calls_and_no_more(built: Templates) -> None:
    """The code's calls, taken from its syntax and turned into IAM's names, against the policy."""
    around_it = {
        *LOGGING,
        "sqs:SendMessage",  # its queue of the undelivered
        "kms:Decrypt",  # the table, topics, queue and its environment are encrypted
        "kms:GenerateDataKey",
    }
    called = calls(rollback, "cloudwatch", "dynamodb", "route53", "sns")
    assert len(called) == 6
    assert granted(built, "role-rollback") == called | around_it
