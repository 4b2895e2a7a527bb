"""What a plan takes for granted because nobody said otherwise, each with the key that says it."""

from collections.abc import Iterator, Sequence
from datetime import date

from crossfade.model.file import MigrationFile
from crossfade.model.file.connectivity import Path
from crossfade.model.file.quantities import bandwidth_text, duration_text
from crossfade.planning.plan.movers import Mover
from crossfade.planning.plan.records import Assumption
from crossfade.planning.plan.wishes import Told


def assumptions_of(file: MigrationFile, told: Told, start: date, movers: Sequence[Mover]) -> Iterator[Assumption]:
    """Beside those of the schedule, which stand in it. What the file says is none."""
    yield from _dates(file, told, start)
    yield from _link(file, told)
    if not _says(told, "traffic"):
        shares = ", ".join(f"{step.percent:g}" for step in file.traffic.steps())
        yield Assumption(
            about="traffic shift",
            value=f"{shares} %",
            reason="the default; each application climbs the same ladder",
            path="traffic.ladder",
        )
    if not _says(told, "bake"):
        yield Assumption(
            about="bake", value=duration_text(file.bake.duration), reason="the default", path="bake.duration"
        )
    empty = [mover.name for mover in movers if not mover.servers and mover.amounts.unsized_servers]
    if empty:
        yield Assumption(
            about="applications without servers",
            value="one server each",
            reason=f"{len(empty):,} applications are told, and no source says where they run",
        )
    if file.planning.teams and any(mover.team is None for mover in movers):
        count = sum(mover.team is None for mover in movers)
        yield Assumption(
            about="teams",
            value=f"{count:,} applications are moved by no team of the file",
            reason="none of its teams is their owner; no team's limit counts them",
            path="planning.teams",
        )


def _dates(file: MigrationFile, told: Told, start: date) -> Iterator[Assumption]:
    planning = file.planning
    if planning.start is None:
        why = "a Saturday, four weeks or more after the day of the plan"
        yield Assumption(about="start", value=start.isoformat(), reason=why, path="planning.start")
    if not planning.windows:
        value = f"any time of one day a week, {start:%A}"
        yield Assumption(about="change windows", value=value, reason="none are named", path="planning.windows")
    if not _says(told, "planning", "time_zone"):
        yield Assumption(about="time zone", value=planning.time_zone, reason="the default", path="planning.time_zone")


def _link(file: MigrationFile, told: Told) -> Iterator[Assumption]:
    link = file.connectivity
    is_vpn = link.primary is Path.VPN
    name, bits = ("vpn", link.vpn.bandwidth) if is_vpn else ("direct_connect", link.direct_connect.bandwidth)
    if not _says(told, "connectivity", name, "bandwidth"):
        yield Assumption(
            about="link",
            value=f"{'VPN' if is_vpn else 'Direct Connect'}, {bandwidth_text(bits)}",
            reason="the default; the length of every copy depends on it",
            path=f"connectivity.{name}.bandwidth",
        )


def _says(told: Told, *path: str) -> bool:
    return bool(told.name) and path in told.tree.places
