"""A14: what Migration Hub is told, and what the agents of Application Discovery Service may do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from crossfade.infra.demands import demands, notes
from crossfade.infra.lambdas import progress, progress_stream
from crossfade.infra.lambdas.progress.handler import tell_all
from crossfade.infra.lambdas.progress.told import PHASES, told_of
from crossfade.infra.lambdas.progress_stream.handler import HubClosed, answer
from crossfade.model.terms import Phase
from tests.infra.granted import LOGGING, calls, client, granted, statements
from tests.infra.templates import Templates, least, text

STREAM = "crossfade-prod"
AT = 1_800_000_000


@pytest.fixture
def mgh() -> Iterator[Stubber]:
    with Stubber(client("mgh")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def image(item: str, **attributes: str) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in {"migration": "ledger", "item": item, **attributes}.items()}


def records(*images: dict[str, dict[str, str]]) -> dict[str, Any]:
    changes = [{"ApproximateCreationDateTime": AT, "Keys": {"item": one["item"]}, "NewImage": one} for one in images]
    return {"Records": [{"eventName": "MODIFY", "dynamodb": change} for change in changes]}


def asked(task: str, status: str, detail: str, percent: int) -> dict[str, Any]:
    return {
        "ProgressUpdateStream": STREAM,
        "MigrationTaskName": task,
        "Task": {"Status": status, "StatusDetail": detail, "ProgressPercent": percent},
        "UpdateDateTime": datetime.fromtimestamp(AT, UTC),
        "NextUpdateSeconds": 3600,
    }


def test_the_phase_and_each_servers_state_are_told(mgh: Stubber) -> None:
    mgh.add_response("notify_migration_task_state", {}, asked("ledger", "IN_PROGRESS", "phase canary", 50))
    mgh.add_response("notify_migration_task_state", {}, asked("ledger/web-1", "IN_PROGRESS", "testing", 50))
    tell_all(records(image("state", phase="canary"), image("server#web-1", status="testing")), STREAM, mgh.client)


def test_a_task_is_registered_before_it_is_first_told_of(mgh: Stubber) -> None:
    mgh.add_client_error("notify_migration_task_state", "ResourceNotFoundException", http_status_code=404)
    mgh.add_response("import_migration_task", {}, {"ProgressUpdateStream": STREAM, "MigrationTaskName": "ledger"})
    mgh.add_response("notify_migration_task_state", {}, asked("ledger", "IN_PROGRESS", "phase prepare", 0))
    tell_all(records(image("state", phase="prepare")), STREAM, mgh.client)


def test_a_failure_is_raised_so_that_the_batch_comes_again(mgh: Stubber) -> None:
    mgh.add_client_error("notify_migration_task_state", "ServiceUnavailableException", http_status_code=500)
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        tell_all(records(image("state", phase="prepare")), STREAM, mgh.client)


@pytest.mark.parametrize(
    "said",
    [image("lag#2027", seconds="3"), image("state"), image("state", phase="lunch"), image("server#a", status="?"), {}],
)
def test_nothing_is_told_of_what_says_too_little(said: dict[str, dict[str, str]]) -> None:
    assert told_of(said) is None


def test_deleted_items_are_told_to_nobody(mgh: Stubber) -> None:
    gone = {"eventName": "REMOVE", "dynamodb": {"ApproximateCreationDateTime": AT, "Keys": {"item": {"S": "state"}}}}
    tell_all({"Records": [gone]}, STREAM, mgh.client)


@pytest.mark.parametrize(
    ("outcome", "status", "percent"),
    [("completed", "COMPLETED", 100), ("rolled_back", "FAILED", 62), ("halted", "FAILED", 62)],
)
def test_an_end_is_told_as_what_it_is(outcome: str, status: str, percent: int) -> None:
    told = told_of(image("state", phase="cutover", outcome=outcome))
    assert told is not None
    assert (told.status, told.percent) == (status, percent)


def test_progress_never_falls_from_phase_to_phase() -> None:
    assert tuple(PHASES) == tuple(str(phase) for phase in Phase)
    told = [told_of(image("state", phase=phase)) for phase in PHASES]
    percents = [one.percent for one in told if one is not None]
    assert percents == sorted(set(percents))


def event(kind: str) -> dict[str, Any]:
    physical = {} if kind == "Create" else {"PhysicalResourceId": STREAM}
    return {"RequestType": kind, "ResourceProperties": {"Name": STREAM, "HomeRegion": "us-west-2"}, **physical}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_stream_is_there_when_it_is_asked_for(mgh: Stubber, kind: str) -> None:
    mgh.add_response("create_progress_update_stream", {}, {"ProgressUpdateStreamName": STREAM})
    assert answer(event(kind), mgh.client) == {"PhysicalResourceId": STREAM}


@pytest.mark.parametrize("code", ["HomeRegionNotSetException", "AccessDeniedException"])
def test_it_says_what_to_do_when_the_account_has_no_migration_hub(mgh: Stubber, code: str) -> None:
    mgh.add_client_error("create_progress_update_stream", code, http_status_code=400)
    with pytest.raises(HubClosed, match=r"aws_tools\.migration_hub: false"):
        answer(event("Create"), mgh.client)


def test_the_stream_goes_with_its_stack_and_may_be_gone_already(mgh: Stubber) -> None:
    mgh.add_response("delete_progress_update_stream", {}, {"ProgressUpdateStreamName": STREAM})
    assert answer(event("Delete"), mgh.client) == {"PhysicalResourceId": STREAM}
    mgh.add_client_error("delete_progress_update_stream", "ResourceNotFoundException", http_status_code=404)
    assert answer(event("Delete"), mgh.client) == {"PhysicalResourceId": STREAM}


def test_the_tables_stream_reaches_the_function_and_the_rest_a_queue(otherwise: Templates) -> None:
    mapping = otherwise.one("AWS::Lambda::EventSourceMapping")
    assert "Tracking" in text(mapping["EventSourceArn"])
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == 20
    assert "Lost" in text(mapping["DestinationConfig"])
    (pattern,) = mapping["FilterCriteria"]["Filters"]
    assert "server#" in pattern["Pattern"]


def test_its_settings_are_those_that_the_stack_gives(otherwise: Templates) -> None:
    functions = {f["FunctionName"]: f for f in otherwise.properties("AWS::Lambda::Function") if "FunctionName" in f}
    told = functions["function-progress-prod"]
    assert told["Environment"]["Variables"] == {"STREAM": STREAM, "HOME_REGION": "us-west-2"}
    assert told["Handler"] == "progress.handler.handle"
    made = otherwise.one("Custom::ProgressStream")
    assert (made["Name"], made["HomeRegion"]) == (STREAM, "us-west-2")


def test_it_may_do_what_its_code_calls_and_no_more(otherwise: Templates) -> None:
    called = calls(progress, "mgh")
    assert len(called) == 2
    reading = {f"dynamodb:{c}" for c in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}
    around_it = {*LOGGING, *reading, "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
    assert granted(otherwise, "role-progress") == called | around_it
    assert granted(otherwise, "role-progress-stream") == calls(progress_stream, "mgh") | LOGGING


def test_only_the_own_stream_and_its_tasks_are_changed(otherwise: Templates) -> None:
    for role in ("role-progress", "role-progress-stream"):
        for statement in statements(otherwise, role):
            if "mgh:" in text(statement["Action"]):
                assert f"progressUpdateStream/{STREAM}" in text(statement["Resource"])
                assert ":us-west-2:" in text(statement["Resource"])


def test_agents_may_register_and_nothing_else(otherwise: Templates) -> None:
    assert granted(otherwise, "group-discovery") == {"arsenal:RegisterOnPremisesAgent"}


def test_neither_is_there_unless_the_file_says_so(built: Templates) -> None:
    assert "tools" not in built.stacks()
    assert not built.properties("AWS::IAM::User")


def test_the_hub_needs_the_table_that_it_is_told_of() -> None:
    file = least(aws_tools={"migration_hub": True}, events={"tracking_table": False})
    assert [demand.path for demand in demands(file)] == [("events", "tracking_table")]


def test_a_switch_that_does_nothing_here_is_told() -> None:
    told = notes(least(aws_tools={"strategy_recommendations": True, "orchestrator": True}))
    assert [note.partition(":")[0] for note in told] == ["aws_tools.strategy_recommendations", "aws_tools.orchestrator"]
