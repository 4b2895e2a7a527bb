"""Tells Migration Hub what the tracking table's stream brings: the migration's phase, and each server's state.

A state is told, never a step, with the time of its change: telling it again changes nothing. What fails is raised, so
that the stream's batch comes again and, in the end, lies in a queue.
"""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from .told import Told, told_of

LOG = logging.getLogger("progress")
LOG.setLevel(logging.INFO)
_PATIENT = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=3, read_timeout=5)
_NEXT_SECONDS = 3600
"""After so long without a word Migration Hub shows a task as stale."""


def handle(event: dict[str, Any], _context: object) -> None:
    """The function's entrance."""
    tell_all(event, os.environ["STREAM"], boto3.client("mgh", region_name=os.environ["HOME_REGION"], config=_PATIENT))


def tell_all(event: Mapping[str, Any], stream: str, mgh: Any) -> None:
    """Every record in its order. Raises what the service says."""
    for record in event["Records"]:
        change = record["dynamodb"]
        told = told_of(change.get("NewImage", {}))
        if told is None:
            LOG.info("nothing to tell of %s", change["Keys"]["item"]["S"])
            continue
        at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
        try:
            _tell(told, stream, at, mgh)
        except mgh.exceptions.ResourceNotFoundException:  # a task is registered before it is first told of
            mgh.import_migration_task(ProgressUpdateStream=stream, MigrationTaskName=told.task)
            _tell(told, stream, at, mgh)


def _tell(told: Told, stream: str, at: datetime, mgh: Any) -> None:
    mgh.notify_migration_task_state(
        ProgressUpdateStream=stream,
        MigrationTaskName=told.task,
        Task=told.as_request,
        UpdateDateTime=at,
        NextUpdateSeconds=_NEXT_SECONDS,
    )
