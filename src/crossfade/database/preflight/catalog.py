"""Every check, in the order in which their remedies work: servers, roles, keys, then what stands on them."""

from crossfade.database.preflight import (
    activity,
    contents,
    differences,
    dms,
    drifted,
    objects,
    rights,
    roles,
    servers,
    tables,
)
from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Place

UNREACHABLE = Check(
    name="unreachable",
    severity=BLOCKER,
    place=Place.EACH,
    why="A side that cannot be reached now cannot be moved from or to, and nothing else can be said of it.",
    advice="",
)
NOT_EXAMINED = Check(
    name="not-examined",
    severity=WARNING,
    place=Place.EACH,
    why="The migration's role may not look at something: whatever is wrong there stays unseen.",
    advice="Give the role what it lacks, then look again.",
)
ASKED = (*servers.CHECKS, *rights.CHECKS, *roles.CHECKS, *tables.CHECKS, *objects.CHECKS, *activity.CHECKS, *dms.CHECKS)
CHECKS = (
    UNREACHABLE,
    NOT_EXAMINED,
    servers.VERSION_TOO_OLD,
    *ASKED,
    *contents.CHECKS,
    roles.FENCE_FAILED,
    roles.FENCE_LEAKS,
    *rights.BETWEEN,
    *differences.CHECKS,
    *drifted.CHECKS,
)
