"""Makes, changes and deletes MGN's replication template as CloudFormation asks, through CDK's Provider framework.

An account has one template a region, and each server that registers is replicated by it. Ours is known by its tags, so
that an attempt which is repeated finds what the lost one has made. Somebody else's is never changed: the deployment
then fails and says what to do, for servers would be replicated by settings that are not the file's.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

LOG = logging.getLogger("replication_template")
LOG.setLevel(logging.INFO)
_PATIENT = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=3, read_timeout=20)
_ID = "replicationConfigurationTemplateID"


class TemplateOfOthers(Exception):
    """The account has a replication template that is not of this migration."""


class NotInitialised(Exception):
    """MGN has not been initialised in the account and region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the stack wants of the template."""

    settings: Mapping[str, Any]
    """Named as MGN's requests name them."""
    mark: Mapping[str, str]
    """Tags by which ours is known."""
    tags: Mapping[str, str]
    """All tags that it gets, the mark among them."""


def handle(event: dict[str, Any], _context: object) -> dict[str, str]:
    """The function's entrance."""
    return answer(event, boto3.client("mgn", config=_PATIENT))


def answer(event: Mapping[str, Any], mgn: Any) -> dict[str, str]:
    """Bring about what CloudFormation asks for; asking again changes nothing more. The id is the template's.

    Raises TemplateOfOthers, NotInitialised, or what the service says.
    """
    kind, physical = event["RequestType"], event.get("PhysicalResourceId", "")
    if kind == "Delete":
        _delete(mgn, physical)
        return {"PhysicalResourceId": physical}
    try:
        made = _bring_about(mgn, wanted_from(event["ResourceProperties"]))
    except mgn.exceptions.UninitializedAccountException as refusal:
        raise NotInitialised(
            "MGN is not initialised in this account and region: open it once in its console, then deploy again"
        ) from refusal
    LOG.info("%s", json.dumps({"asked": kind, "template": made}))
    return {"PhysicalResourceId": made}


def wanted_from(properties: Mapping[str, Any]) -> Wanted:
    """CloudFormation makes text of every number and truth in properties; inside JSON they stay what they are."""
    return Wanted(**{name: json.loads(properties[name.title()]) for name in ("settings", "mark", "tags")})


def _bring_about(mgn: Any, wanted: Wanted) -> str:
    pages = mgn.get_paginator("describe_replication_configuration_templates").paginate()
    standing = [template for page in pages for template in page["items"]]
    ours = [one for one in standing if wanted.mark.items() <= one.get("tags", {}).items()]
    if ours:
        identity: str = ours[0][_ID]
        mgn.update_replication_configuration_template(**{_ID: identity}, **wanted.settings)
        return identity
    if standing:
        asked = " ".join(f"{name}={value}" for name, value in wanted.mark.items())
        raise TemplateOfOthers(
            f"this account and region already have MGN's replication template {standing[0][_ID]}, and it is not of "
            f"this migration: delete it, or hand it over by tagging it {asked}; then deploy again"
        )
    made: str = mgn.create_replication_configuration_template(tags=dict(wanted.tags), **wanted.settings)[_ID]
    return made


def _delete(mgn: Any, physical: str) -> None:
    """Gone already is as good as deleted; an id that is no template's is of an attempt that made none."""
    if not physical.startswith("rct-"):
        return
    try:
        mgn.delete_replication_configuration_template(**{_ID: physical})
    except (mgn.exceptions.ResourceNotFoundException, mgn.exceptions.UninitializedAccountException):
        LOG.info("%s is gone already", physical)
