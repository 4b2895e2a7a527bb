"""Waves as the report shows them: who moves when and why, with the rows of the inventory behind each count."""

from collections.abc import Iterator, Mapping

from crossfade.planning.executive.brief import MovedApplication, WaveRow
from crossfade.planning.executive.traced import NOT_KNOWN, Figure, Traces
from crossfade.planning.plan import MigrationPlan, PlannedApplication
from crossfade.planning.schedule.records import WaveSchedule


def wave_rows(plan: MigrationPlan, traces: Traces) -> tuple[WaveRow, ...]:
    """Every wave in order of its day."""
    return tuple(_rows(plan, traces))


def _rows(plan: MigrationPlan, traces: Traces) -> Iterator[WaveRow]:
    places = {server.name: [str(place) for place in server.places] for server in plan.inventory.servers}
    scheduled = {each.wave: each for each in plan.schedule.waves}
    for wave in plan.waves.waves:
        mine = [each for each in plan.applications if each.wave == wave.number]
        applications = tuple(
            _application(f"wave-{wave.number}-{n}", each, places, traces) for n, each in enumerate(mine, start=1)
        )
        key, says = f"wave-{wave.number}", f"wave {wave.number}"
        counted = " + ".join(one.servers.shown for one in applications) or "counted by the waves"
        begins, ends = _days(key, says, scheduled.get(wave.number), traces)
        yield WaveRow(
            wave=wave,
            servers=traces.add(f"{key}-servers", f"servers of {says}", f"{wave.servers:,}", counted),
            begins=begins,
            ends=ends,
            applications=applications,
            remarks=tuple(one.says for one in plan.schedule.remarks if one.wave == wave.number),
        )


def _application(
    key: str, planned: PlannedApplication, places: Mapping[str, list[str]], traces: Traces
) -> MovedApplication:
    rows = [place for name in planned.servers for place in places.get(name, [])]
    computed = ", ".join(planned.servers[:12]) + (" …" if len(planned.servers) > 12 else "")
    says = f"servers of {planned.name}"
    return MovedApplication(
        name=planned.name,
        servers=traces.add(key, says, f"{len(planned.servers):,}", computed or "none is told", rows),
        reason=planned.reason,
        owner=planned.owner or NOT_KNOWN,
    )


def _days(key: str, says: str, scheduled: WaveSchedule | None, traces: Traces) -> tuple[Figure, Figure]:
    if scheduled is None or not scheduled.stages:
        why = "its phases could not be laid out"
        return (
            traces.missing(f"{key}-begins", f"{says} begins to copy", why),
            traces.missing(f"{key}-ends", f"{says} ends", why),
        )
    first = min(scheduled.stages, key=lambda stage: stage.begins)
    last = max(scheduled.stages, key=lambda stage: stage.ends)
    return (
        traces.add(f"{key}-begins", f"{says} begins to copy", f"{first.begins:%Y-%m-%d}", first.says),
        traces.add(f"{key}-ends", f"{says} ends", f"{last.ends:%Y-%m-%d}", last.says),
    )
