"""What the world itself says of what an engine has recorded: no word of the engine's own is taken for it."""

from collections.abc import Iterator, Mapping, Sequence

from crossfade.database.settings import channel
from crossfade.database.way_back import PURPOSE
from crossfade.model import ends
from crossfade.model.entry import Entry
from crossfade.model.events import EndMissed, EndReached, Event, MigrationEnded, Overridden, PhaseEntered
from crossfade.model.terms import Outcome, Phase, Side
from crossfade.simulation.faults import Fault
from crossfade.simulation.postgres.catalog import MARKER
from crossfade.simulation.postgres.server import Server
from crossfade.simulation.router import SimulatedRouter

Databases = Mapping[Side, Server]
Found = Iterator[tuple[str, str]]
_RECORDED = "what is recorded is so"


def of_an_entry(event: Event, databases: Databases, router: SimulatedRouter, faults: Sequence[Fault]) -> Found:
    """(rule, what) for what is recorded as reached, and is not."""
    match event:
        case EndReached(end=ends.WriterIs(side=side)) if not databases[side].app_may_write():
            yield _RECORDED, f"the {side} is said to take writes, and does not"
        case EndReached(end=ends.SharesAre(canary_percent=percent)) if router.percent != percent:
            if not any(fault.kind.startswith("router-") for fault in faults):
                yield _RECORDED, f"the share is said to be {percent:g} %, and is {router.percent:g} %"
        case EndReached(end=ends.WayBackAwake(primary=primary, epoch=epoch)):
            crashed = any(fault.kind == "database-kill" for fault in faults)  # what had arrived may be gone again
            table = databases[primary.other].tables.get(MARKER)
            marker = table.get((str(primary), PURPOSE)) if table is not None else None
            if not crashed and (marker is None or marker.epoch < epoch):
                yield _RECORDED, f"the way back from the {primary} is said to be proven, and nothing has come over it"


def way_back_lives(databases: Databases) -> bool:
    """Whether what is written on the target would arrive on the source, once both and the link between them work."""
    name = channel(Side.TARGET)
    subscription, slot = databases[Side.SOURCE].subscriptions.get(name), databases[Side.TARGET].slots.get(name)
    return subscription is not None and subscription.enabled and slot is not None and not slot.lost


def named_to_people(entries: Sequence[Entry]) -> set[str]:
    """The keys of the rows that verification has found to differ, as the journal shows them."""
    missed = [entry.event for entry in entries if isinstance(entry.event, EndMissed)]
    shown = [str(value) for event in missed for name, value in event.facts.items() if name.startswith("difference ")]
    return {word for line in shown for word in line.split()}


def of_the_shadow(ended: MigrationEnded | None, entries: Sequence[Entry], *, wrong: bool) -> Found:
    """Modern servers that answer wrongly get no users, unless a person says that they shall."""
    said = any(isinstance(entry.event, Overridden) for entry in entries)
    if wrong and not said and any(entry.event == PhaseEntered(phase=Phase.CANARY) for entry in entries):
        yield "wrong answers are found", f"canary was entered; it ended {ended.outcome if ended else 'never'}"


def of_the_end(
    ended: MigrationEnded | None,
    databases: Databases,
    router: SimulatedRouter,
    faults: Sequence[Fault],
    *,
    healthy: bool,
) -> Found:
    """The same of a whole run. `healthy`: the new servers are as good as the old ones, and not judged otherwise."""
    kinds = {fault.kind for fault in faults}
    refused = {side: databases[side].duplicates for side in Side if databases[side].duplicates}
    if refused and "rogue-writer" not in kinds:  # whoever writes past the fence takes numbers that nobody sees
        yield "sequences stay ahead", f"writes refused because their number was taken: {refused}"
    if ended is None:
        return
    if ended.outcome is not Outcome.HALTED and router.mirrored:
        yield "the outcome is so", f"{ended.outcome}, but {router.mirrored:g} % of requests are mirrored"
    if healthy and not kinds and ended.outcome is not Outcome.COMPLETED:
        yield "a healthy migration completes", f"{ended.outcome}: {ended.reason}"
