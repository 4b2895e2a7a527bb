"""Applications, shared services, unknown ends and flows as the object that `crossfade map --json` ends with."""

from dataclasses import asdict
from typing import Any

from crossfade.planning.applications.records import ApplicationMap


def as_json(found: ApplicationMap) -> dict[str, Any]:
    """Names as in the records; a node is `{"kind", "name"}`; of a flow, `servers` lists the pairs behind it."""
    return asdict(found)
