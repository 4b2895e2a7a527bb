"""A4: MGN's replication template; every request and answer is held to the service's own model by botocore."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from crossfade.infra.lambdas import replication_template
from crossfade.infra.lambdas.replication_template.handler import (
    NotInitialised,
    TemplateOfOthers,
    answer,
    wanted_from,
)
from crossfade.infra.replication_settings import replication_settings
from tests.infra.granted import LOGGING, calls, client, granted, statements
from tests.infra.templates import Templates, reference, text

ID = "rct-0123456789abcdef0"
OTHER = "rct-fedcba98765432100"
MARK = {"project": "crossfade", "environment": "prod"}
TAGS = {**MARK, "owner": "Core Banking Platform"}
SETTINGS = replication_settings(
    reference(),
    subnet="subnet-0123456789abcdef0",
    group="sg-0123456789abcdef0",
    key_arn="arn:aws:kms:us-east-1:1:key/2",
)


class Mgn:
    """The service's answers, in the order in which they are asked for."""

    def __init__(self) -> None:
        self.client = client("mgn")
        self.stubber = Stubber(self.client)

    def stands(self, **tags_by_id: dict[str, str]) -> None:
        items = [_template(i.replace("_", "-"), tags) for i, tags in tags_by_id.items()]
        self.stubber.add_response("describe_replication_configuration_templates", {"items": items}, {})

    def makes(self) -> None:
        asked = {"tags": TAGS, **SETTINGS}
        self.stubber.add_response("create_replication_configuration_template", _template(ID, TAGS), asked)

    def changes(self) -> None:
        asked = {"replicationConfigurationTemplateID": ID, **SETTINGS}
        self.stubber.add_response("update_replication_configuration_template", _template(ID, TAGS), asked)

    def deletes(self) -> None:
        asked = {"replicationConfigurationTemplateID": ID}
        self.stubber.add_response("delete_replication_configuration_template", {}, asked)

    def refuses(self, call: str, code: str) -> None:
        self.stubber.add_client_error(f"{call}_replication_configuration_template", code, http_status_code=400)


def _template(identity: str, tags: dict[str, str]) -> dict[str, Any]:
    return {"replicationConfigurationTemplateID": identity, "tags": tags}


@pytest.fixture
def mgn() -> Iterator[Mgn]:
    double = Mgn()
    with double.stubber:
        yield double
    double.stubber.assert_no_pending_responses()


def event(kind: str, physical: str = "") -> dict[str, Any]:
    content = {"Settings": SETTINGS, "Mark": MARK, "Tags": TAGS}
    properties = {name: json.dumps(value) for name, value in content.items()}
    return {
        "RequestType": kind,
        "ResourceProperties": {"ServiceToken": "arn", **properties},
        **({"PhysicalResourceId": physical} if physical else {}),
    }


def test_the_template_is_made_when_there_is_none(mgn: Mgn) -> None:
    mgn.stands()
    mgn.makes()
    assert answer(event("Create"), mgn.client) == {"PhysicalResourceId": ID}


def test_what_a_lost_attempt_made_is_found_when_it_is_created_again(mgn: Mgn) -> None:
    mgn.stands(**{ID: TAGS})
    mgn.changes()
    assert answer(event("Create"), mgn.client) == {"PhysicalResourceId": ID}


def test_the_template_is_changed_in_place_when_the_file_changes(mgn: Mgn) -> None:
    mgn.stands(**{ID: {**TAGS, "owner": "somebody before"}})
    mgn.changes()
    assert answer(event("Update", ID), mgn.client) == {"PhysicalResourceId": ID}


def test_it_is_made_anew_when_somebody_has_deleted_it_meanwhile(mgn: Mgn) -> None:
    mgn.stands()
    mgn.makes()
    assert answer(event("Update", OTHER), mgn.client) == {"PhysicalResourceId": ID}


@pytest.mark.parametrize("tags", [{}, {"project": "crossfade", "environment": "test"}])
def test_the_template_of_others_stays_and_people_learn_what_to_do(mgn: Mgn, tags: dict[str, str]) -> None:
    mgn.stands(**{OTHER: tags})
    with pytest.raises(TemplateOfOthers, match=f"{OTHER}.*project=crossfade environment=prod"):
        answer(event("Create"), mgn.client)


def test_it_says_what_to_do_when_the_service_is_not_initialised(mgn: Mgn) -> None:
    mgn.stubber.add_client_error(
        "describe_replication_configuration_templates", "UninitializedAccountException", http_status_code=400
    )
    with pytest.raises(NotInitialised, match="console"):
        answer(event("Create"), mgn.client)


def test_what_the_service_refuses_reaches_cloudformation(mgn: Mgn) -> None:
    mgn.stands()
    mgn.refuses("create", "ValidationException")
    with pytest.raises(ClientError, match="ValidationException"):
        answer(event("Create"), mgn.client)


def test_the_template_goes_with_its_stack(mgn: Mgn) -> None:
    mgn.deletes()
    assert answer(event("Delete", ID), mgn.client) == {"PhysicalResourceId": ID}


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "UninitializedAccountException"])
def test_deleting_again_is_no_failure(mgn: Mgn, code: str) -> None:
    mgn.refuses("delete", code)
    assert answer(event("Delete", ID), mgn.client) == {"PhysicalResourceId": ID}


def test_a_deletion_fails_when_the_template_is_still_needed(mgn: Mgn) -> None:
    mgn.refuses("delete", "ConflictException")
    with pytest.raises(ClientError, match="Conflict"):
        answer(event("Delete", ID), mgn.client)


def test_nothing_is_asked_when_there_was_never_a_template(mgn: Mgn) -> None:
    answer(event("Delete", "servers-prod-ReplicationTemplate-1A2B"), mgn.client)


def test_numbers_and_truths_stay_what_they_are_on_their_way_through_cloudformation() -> None:
    wanted = wanted_from(event("Create")["ResourceProperties"])
    assert wanted.settings == SETTINGS
    assert wanted.settings["createPublicIP"] is False


def test_the_stack_asks_for_what_the_file_says(built: Templates) -> None:
    properties = built.one("Custom::ReplicationTemplate")
    joined = properties["Settings"]["Fn::Join"][1]
    settings = json.loads("".join(part if isinstance(part, str) else "x" for part in joined))
    assert settings.keys() == SETTINGS.keys()
    assert settings["replicationServerInstanceType"] == "t3.medium"
    assert "Staging" in text(joined)
    assert json.loads(properties["Mark"]) == MARK
    assert json.loads(properties["Tags"]).items() >= MARK.items()


def test_it_may_do_what_its_code_calls_and_no_more(built: Templates) -> None:
    in_its_name = {a for a in granted(built, "role-replication-template") if a.startswith(("ec2:", "kms:"))}
    assert all(action.startswith(("ec2:Describe", "ec2:GetEbs", "kms:")) for action in in_its_name)
    called = calls(replication_template, "mgn")
    assert len(called) == 4
    allowed = called | in_its_name | LOGGING | {"mgn:TagResource"}  # a template is tagged as it is made
    assert granted(built, "role-replication-template") == allowed


def test_only_a_template_with_our_tags_is_changed_or_deleted(built: Templates) -> None:
    said = {statement["Sid"]: statement for statement in statements(built, "role-replication-template")}
    tags = {"aws:ResourceTag/project": "crossfade", "aws:ResourceTag/environment": "prod"}
    assert said["ChangeOurs"]["Condition"] == {"StringEquals": tags}
    requested = {"aws:RequestTag/project": "crossfade", "aws:RequestTag/environment": "prod"}
    assert said["Create"]["Condition"] == {"StringEquals": requested}


def test_the_resource_is_asked_for_only_when_its_function_may_act(built: Templates) -> None:
    """And goes before the permissions do, so that it can be deleted."""
    ((_, resource),) = built.every("Custom::ReplicationTemplate")
    assert any("RolePermissions" in needed for needed in resource["DependsOn"])
