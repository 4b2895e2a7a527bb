"""What must hold in every run, at every moment and at its end. A violation names the rule and what broke it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from crossfade.model.events import MigrationEnded
from crossfade.model.terms import Outcome, Side
from crossfade.simulation.faults import Fault
from crossfade.simulation.postgres.server import Server
from crossfade.simulation.users import Users


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`at` is in virtual seconds since the start."""

    rule: str
    at: float
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What people know by the journal: the cause for which it went back, if it did, and the rows that differed."""

    turned_by: str
    named: Collection[str]


def of_the_end(
    ended: MigrationEnded | None,
    databases: Mapping[Side, Server],
    users: Users,
    percent: float,
    faults: Sequence[Fault],
    told: Told,
) -> list[tuple[str, str]]:
    """(rule, what) for each rule of the end that is broken. `faults` are those that came to be."""
    found: list[tuple[str, str]] = []
    if ended is None:
        return [("it ends", "the migration has not ended although everything works again")]
    if ended.outcome is Outcome.HALTED and not any(_needs_a_person(fault, ended) for fault in faults):
        found.append(("it halts only where a person must look", ended.reason))
    open_sides = [side for side in Side if databases[side].app_may_write()]
    if len(open_sides) != 1:
        found.append(("one primary at the end", f"open: {[str(side) for side in open_sides]} ({ended.outcome})"))
        return found
    primary = open_sides[0]
    home = Side.TARGET if ended.outcome is Outcome.COMPLETED else Side.SOURCE
    if ended.outcome is not Outcome.HALTED:
        if primary is not home:
            found.append(("the outcome is so", f"{ended.outcome}, but the {primary} takes writes"))
        share = 100.0 if home is Side.TARGET else 0.0
        if percent != share:
            found.append(("the outcome is so", f"{ended.outcome}, but {percent} % of users are sent to the target"))
    kept = dict(databases[primary].committed())
    blind = primary is Side.SOURCE and told.turned_by not in {"", "end"}
    if ended.outcome is Outcome.HALTED and any(fault.kind in _LOSES_CHANGES for fault in faults):
        # What replication lost stands on the other side, and a person knows that the sides differ: by name, or because
        # it went back at once for another reason, before a verification could show what had been lost on the way.
        other = databases[primary.other].committed()
        kept = dict.fromkeys((key for key in other if blind or key in told.named), 1) | kept
    found.extend(_ledger(users, kept))
    return found


def _needs_a_person(fault: Fault, ended: MigrationEnded) -> bool:
    """What no trying again can mend, or not within the patience of the undoing.

    Before anything is built patience is short: whoever has mistyped an address should not wait to be told.
    """
    hasty = ended.reason.startswith("not ready: ") and fault.kind in _OUTAGES
    return hasty or fault.kind in NOT_TO_BE_MENDED or fault.lasts >= _PATIENCE


_PATIENCE = 10.0
_OUTAGES = {"database-kill", "link-cut", "checks-fail"}
_LOSES_CHANGES = {"slot-dropped", "slot-made-anew"}
NOT_TO_BE_MENDED = _LOSES_CHANGES | {"rogue-writer", "row-damaged"}


def _ledger(users: Users, rows: Mapping[str, int]) -> list[tuple[str, str]]:
    lost = [key for key in users.ledger if key not in rows and key not in users.excused]
    doubled = [key for key, number in rows.items() if number > 1]
    found = []
    if lost:
        found.append(("no acknowledged write is lost", f"{len(lost)} lost: {', '.join(lost[:5])}"))
    if doubled:
        found.append(("no write is doubled", f"{len(doubled)} doubled: {', '.join(doubled[:5])}"))
    return found
