"""Why a deployment failed, in words that say what to do. Pure."""

import re

from crossfade.infra.deployment.errors import Obstacle
from crossfade.infra.deployment.told import StackEvent, Told

_REMEDIES: tuple[tuple[str, str], ...] = (
    (r"ExpiredToken|token.*expired|credentials.*expired", "log in anew"),
    (
        r"Unrecognized resource types|is not supported|Resource type \S+ (?:is not|does not)",
        "choose a region that has the type, or leave it out with --without TYPE",
    ),
    (
        r"already exists",
        "another migration has this suffix, or something was left: see who owns it, or change the suffix",
    ),
    (
        r"[Qq]uota|LimitExceeded|limit.*exceeded|maximum number of",
        "ask for more in Service Quotas, or remove what is unused",
    ),
    (
        r"AccessDenied|not authorized to perform|UnauthorizedOperation",
        "have the permission granted to the role it names",
    ),
    (r"cannot be deleted as it is in use by|Export .* in use", "destroy or deploy the stack that uses it too"),
    (r"dms-vpc-role|dms-cloudwatch-logs-role", "create the roles that DMS wants by these names"),
    (r"MGN.*not initialized|UninitializedAccount", "initialise MGN in its console, once for the account and region"),
    (r"not empty", "empty it: something was put there while it was being deleted"),
    (
        r"Has the environment been bootstrapped|bootstrap stack version|not bootstrapped",
        "bootstrap the account and region",
    ),
    (r"Throttling|Rate exceeded|TooManyRequests", "wait a little, then do the same again"),
    (
        r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|socket hang up",
        "look at the network and AWS_ENDPOINT_URL",
    ),
    (r"ENOSPC|no space left", "make room on the disk"),
    (r"IN_PROGRESS state|currently in progress", "wait until CloudFormation is done with the stack"),
    (r"ROLLBACK_FAILED|DELETE_FAILED", "see in CloudFormation's console why; continue its rollback or delete it there"),
)
"""Source: messages of CloudFormation, of the services and of the command line 2.1148.1."""
_NOISE = re.compile(
    r"^\s*(at |❌|❗|\(node:|start: |success: |\S+: (start|success): |✨|Failed resources|Outputs|Stack ARN)"
)
_LAST_LINES = 5


def causes(told: Told) -> tuple[Obstacle, ...]:
    """Each resource that failed, once; without any, what was said last."""
    failed: dict[tuple[str, str], StackEvent] = {}
    for event in told.events:
        if event.failed:
            failed.setdefault((event.stack, event.place), event)
    if failed:
        return tuple(
            Obstacle(
                problem=f"{event.stack}: {event.place} ({event.kind}): {event.reason or event.status}",
                remedy=remedy_for(event.reason),
            )
            for event in failed.values()
        )
    text = [line.strip().removeprefix("‣ ") for line in told.rest if not _NOISE.search(line)]
    telling = [line for line in text if remedy_for(line)] or text[-_LAST_LINES:]
    return tuple(Obstacle(problem=line, remedy=remedy_for(line)) for line in dict.fromkeys(telling))


def remedy_for(text: str) -> str:
    """What to do about a message; empty if it is not known."""
    return next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, text)), "")
