"""Waves that exports tell of, held against those of the plan: they are no wishes, so every difference is told."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from crossfade.planning.applications import ApplicationMap
from crossfade.planning.dependency_map.page import by_number
from crossfade.planning.dependency_map.picture import waves_told
from crossfade.planning.inventory import Inventory
from crossfade.planning.plan.records import ToldWave
from crossfade.planning.waves import Plan

REMEDY = "to keep to what was told, name the applications under planning.together and planning.apart, then plan again"
_SHOWN = 5


def told_waves(inventory: Inventory, found: ApplicationMap, plan: Plan) -> tuple[ToldWave, ...]:
    """Every wave that an application or one of its servers is told to be in, in the order of numbers in the names."""
    servers = {server.name: server for server in inventory.servers}
    placed = {placement.item: placement.wave for placement in plan.placements}
    told: dict[str, dict[str, int | None]] = defaultdict(dict)
    for application in found.applications:
        for wave in waves_told(application, servers):
            told[wave][application.name] = placed.get(application.name)
    names = sorted(told, key=by_number)
    return tuple(
        ToldWave(name=name, planned=told[name], differs=tuple(_differs(name, told, names[:n])))
        for n, name in enumerate(names)
    )


def _differs(name: str, told: Mapping[str, Mapping[str, int | None]], before: list[str]) -> Iterator[str]:
    by_wave: dict[int | None, list[str]] = defaultdict(list)
    for application, wave in told[name].items():
        by_wave[wave].append(application)
    if stays := by_wave.pop(None, None):
        yield f"in no wave of the plan: {_some(stays)}"
    planned = sorted(wave for wave in by_wave if wave is not None)
    if len(planned) > 1:
        yield "divided: " + "; ".join(f"{_some(by_wave[wave])} in wave {wave}" for wave in planned)
    for other in before:
        shared = sorted({wave for wave in told[other].values() if wave is not None and wave in by_wave})
        if shared:
            yield f"together with {other} in wave {', '.join(str(wave) for wave in shared)}"
    later = [other for other in before if planned and _first(told[other]) > planned[0]]
    if later:
        yield f"begins before {_some(later)}"


def _first(planned: Mapping[str, int | None]) -> int:
    return min((wave for wave in planned.values() if wave is not None), default=0)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
