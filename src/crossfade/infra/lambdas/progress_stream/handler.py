"""Makes and deletes the stream in which Migration Hub keeps this migration's tasks, as CloudFormation asks.

The stream's name is its identity, so that both may be asked for again. With the stream go its tasks.
"""

import logging
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

LOG = logging.getLogger("progress_stream")
LOG.setLevel(logging.INFO)
_PATIENT = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=3, read_timeout=20)


class HubClosed(Exception):
    """The account cannot use Migration Hub."""


def handle(event: dict[str, Any], _context: object) -> dict[str, str]:
    """The function's entrance. Migration Hub lives in the account's home region alone."""
    return answer(event, boto3.client("mgh", region_name=event["ResourceProperties"]["HomeRegion"], config=_PATIENT))


def answer(event: Mapping[str, Any], mgh: Any) -> dict[str, str]:
    """Bring about what CloudFormation asks for; asking again changes nothing more. The id is the stream's name.

    Raises HubClosed, or what the service says.
    """
    if event["RequestType"] == "Delete":
        name = event["PhysicalResourceId"]
        try:
            mgh.delete_progress_update_stream(ProgressUpdateStreamName=name)
        except (mgh.exceptions.ResourceNotFoundException, mgh.exceptions.HomeRegionNotSetException):
            LOG.info("%s is gone already", name)
        return {"PhysicalResourceId": name}
    name = event["ResourceProperties"]["Name"]
    try:
        mgh.create_progress_update_stream(ProgressUpdateStreamName=name)
    except (mgh.exceptions.HomeRegionNotSetException, mgh.exceptions.AccessDeniedException) as refusal:
        raise HubClosed(
            "Migration Hub refuses this account: it takes no new customers since 7 November 2025, and needs a home "
            "region, which must be aws_tools.home_region; otherwise set aws_tools.migration_hub: false"
        ) from refusal
    return {"PhysicalResourceId": name}
