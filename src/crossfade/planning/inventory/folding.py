"""Several tellings of one thing as one: lists are united, measures taken at their highest, the rest must agree."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from crossfade.planning.inventory.layout import Fragment, Values
from crossfade.planning.inventory.records import Conflict, Disk, Partition, Place

_UNITED = frozenset(
    {"other_names", "host_names", "addresses", "mac_addresses", "ids", "networks", "applications", "tags"}
    | {"processes", "contributors", "servers"}
)
_COUNTED = frozenset({"disks", "partitions"})
_AVERAGES = frozenset(
    {"cpu_average_percent", "memory_average_percent", "disk_read_kib_s", "disk_write_kib_s", "disk_reads_s"}
    | {"disk_writes_s", "network_in_kib_s", "network_out_kib_s"}
)
_HIGHEST = frozenset({"cpu_peak_percent", "memory_peak_percent", "disk_used_mib"})


def folded(name: str, fragments: Sequence[Fragment], fields: Iterable[str], conflicts: list[Conflict]) -> Values:
    """The fields of one record. Where tellings disagree the field is left out, and `conflicts` has both.

    Averages are averaged over the rows of one layout, and the highest of several layouts counts: a plan that is too
    large is safe. Disks and partitions are those of one layout; two layouts must count the same sizes.
    """
    result: Values = {}
    for field in fields:
        told = [(fragment, fragment.values[field]) for fragment in fragments if field in fragment.values]
        if not told:
            continue
        if field in _UNITED:
            result[field] = tuple(dict.fromkeys(value for _, values in told for value in values))
        elif field in _AVERAGES:
            result[field] = max(_average(values) for values in _by_layout(told).values())
        elif field in _HIGHEST:
            result[field] = max(value for _, value in told)
        elif field in _COUNTED:
            _counted(name, field, told, result, conflicts)
        else:
            _agreed(name, field, told, result, conflicts)
    return result


def _average(values: Sequence[float]) -> float:
    return values[0] if len(values) == 1 else round(fmean(values), 3)


def _by_layout(told: Sequence[tuple[Fragment, Any]]) -> dict[str, list[Any]]:
    by_layout: dict[str, list[Any]] = {}
    for fragment, value in told:
        by_layout.setdefault(fragment.layout, []).append(value)
    return by_layout


def _counted(
    name: str, field: str, told: Sequence[tuple[Fragment, Any]], result: Values, conflicts: list[Conflict]
) -> None:
    lists = {
        layout: tuple(dict.fromkeys(one for values in all_ for one in values))
        for layout, all_ in _by_layout(told).items()
    }
    if len({_sizes(values) for values in lists.values()}) == 1:
        result[field] = next(iter(lists.values()))
    else:
        places = {layout: tuple(f.place for f, _ in told if f.layout == layout)[:3] for layout in lists}
        said = {f"{layout}: {_said(values)}": places[layout] for layout, values in lists.items()}
        conflicts.append(Conflict(name=name, column=field, told=said))


def _sizes(values: Iterable[Disk | Partition]) -> tuple[int, ...]:
    return tuple(sorted(value.capacity_mib for value in values))


def _said(values: Iterable[Disk | Partition]) -> str:
    return ", ".join(f"{size} MiB" for size in _sizes(values))


def _agreed(
    name: str, field: str, told: Sequence[tuple[Fragment, Any]], result: Values, conflicts: list[Conflict]
) -> None:
    said: dict[object, tuple[Any, list[Place]]] = {}
    for fragment, value in told:
        same = value.casefold() if isinstance(value, str) else value
        said.setdefault(same, (value, []))[1].append(fragment.place)
    if len(said) == 1:
        result[field] = next(iter(said.values()))[0]
    else:
        shown = {str(value): tuple(places[:3]) for value, places in said.values()}
        conflicts.append(Conflict(name=name, column=field, told=shown))
