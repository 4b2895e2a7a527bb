"""An inventory as the JSON object that `crossfade inventory --json` promises."""

from dataclasses import asdict
from typing import Any

from crossfade.planning.inventory.records import Conflict, Dependency, End, Inventory, Merge, Place

SEVERAL = "several"


def as_json(inventory: Inventory) -> dict[str, Any]:
    """`format` is the one format of all sources, "several", or null where none is known."""
    formats = inventory.formats
    return {
        "format": None if not formats else formats[0] if len(formats) == 1 else SEVERAL,
        "formats": list(formats),
        "servers": [_record(server) for server in inventory.servers],
        "hosts": [_record(host) for host in inventory.hosts],
        "applications": [_record(application) for application in inventory.applications],
        "databases": [_record(database) for database in inventory.databases],
        "files": [_record(files) for files in inventory.files],
        "dependencies": [_dependency(dependency) for dependency in inventory.dependencies],
        "unknown_ends": unknown_ends(inventory),
        "merges": [_merge(merge) for merge in inventory.merges],
        "conflicts": [_conflict(conflict) for conflict in inventory.conflicts],
        "problems": [asdict(problem) for problem in inventory.problems],
        "sources": [asdict(account) for account in inventory.accounts],
        "rows": {
            "accepted": inventory.accepted,
            "records": sum(inventory.told.values()),
            "merged": inventory.merged_rows,
        },
    }


def unknown_ends(inventory: Inventory) -> list[str]:
    """Names and addresses that dependencies lead to and that no source describes, each once."""
    ends = (end for dependency in inventory.dependencies for end in (dependency.source, dependency.destination))
    return list(
        dict.fromkeys(end.told or end.address or "" for end in ends if end.server is None and (end.told or end.address))
    )


def _record(record: Any) -> dict[str, Any]:
    return asdict(record) | {"places": _places(record.places)}


def _places(places: tuple[Place, ...]) -> list[str]:
    return [str(place) for place in places]


def _dependency(dependency: Dependency) -> dict[str, Any]:
    ends = {"source": _end(dependency.source), "destination": _end(dependency.destination)}
    return asdict(dependency) | ends | {"places": _places(dependency.places)}


def _end(end: End) -> dict[str, Any]:
    return asdict(end) | {"known": end.is_known}


def _merge(merge: Merge) -> dict[str, Any]:
    return asdict(merge) | {"places": _places(merge.places)}


def _conflict(conflict: Conflict) -> dict[str, Any]:
    told = [{"value": value, "places": _places(places)} for value, places in conflict.told.items()]
    return {"name": conflict.name, "column": conflict.column, "told": told}
