"""An inventory as our plain CSV: one row a record, safe to open in a spreadsheet, read back without loss."""

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from crossfade.planning.inventory.layouts.plain import COLUMNS, joined
from crossfade.planning.inventory.records import Dependency, Disk, End, Inventory, Kind, Partition
from crossfade.planning.inventory.spreadsheet_safe import safe

HEADINGS = tuple(column.field for column in COLUMNS)
_DEPENDENCY = ("port", "protocol", "source_process", "destination_process", "connections", "volume_bytes", "latency_ms")


def write_plain(inventory: Inventory, file: TextIO) -> int:
    """Every record of `inventory` as a row; how many they are. `file` was opened with newline=''.

    Places, merges, conflicts and problems are of the sources and stay behind.
    """
    writer = csv.DictWriter(file, HEADINGS)
    writer.writeheader()
    rows = 0
    for record in _rows(inventory):
        writer.writerow({name: safe(told) for name, value in record.items() if (told := _cell(value))})
        rows += 1
    return rows


def _rows(inventory: Inventory) -> Iterator[dict[str, Any]]:
    for kind, records in (
        (Kind.SERVER, inventory.servers),
        (Kind.HOST, inventory.hosts),
        (Kind.APPLICATION, inventory.applications),
        (Kind.DATABASE, inventory.databases),
        (Kind.FILES, inventory.files),
    ):
        for record in records:
            yield _record(kind, record)
    for dependency in inventory.dependencies:
        yield _dependency(dependency)


def _record(kind: Kind, record: object) -> dict[str, Any]:
    """Fields that are columns; an application's servers stand with the servers."""
    values = {name: getattr(record, name) for name in HEADINGS if hasattr(record, name)}
    if kind in {Kind.DATABASE, Kind.FILES}:
        values["applications"] = getattr(record, "application")  # noqa: B009 - the two kinds that have one
    return {"record": kind.value} | values


def _dependency(dependency: Dependency) -> dict[str, Any]:
    values: dict[str, Any] = {"record": Kind.DEPENDENCY.value}
    for side, end in (("source", dependency.source), ("destination", dependency.destination)):
        values |= _end(side, end)
    if not dependency.direction_known:
        values["direction_known"] = False
    return values | {name: getattr(dependency, name) for name in _DEPENDENCY}


def _end(side: str, end: End) -> dict[str, Any]:
    return {side: end.server or end.told, f"{side}_address": end.address, f"{side}_application": end.application}


def _cell(value: Any) -> str:
    match value:
        case None | "" | ():
            return ""
        case tuple():
            return joined(_part(part) for part in value)
        case _:
            return str(value)


def _part(part: object) -> str:
    match part:
        case Disk():
            return f"{part.name}={part.capacity_mib}"
        case Partition():
            used = "" if part.used_mib is None else f"/{part.used_mib}"
            return f"{part.path}={part.capacity_mib}{used}"
        case _:
            return str(part)
