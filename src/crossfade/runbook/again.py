"""A later cutover after a fail back: when it may begin, and how its journal is tied to the one before.

Nothing of what stands is built or copied anew, so nothing may be missing: whoever begins looks first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import Earlier, MigrationEnded, MigrationPlanned
from crossfade.model.plan import ReplicationLimits
from crossfade.model.seen import Replication, WayBack, Writer
from crossfade.model.terms import NoData, Outcome, Side
from crossfade.runbook.evolve import fold

_ANEW = "Begin a new migration, with a full load."
_LOOK_AGAIN = "See that both databases run and reach each other, then say it again."
_REMEDIES = {
    Outcome.COMPLETED: "The point of no return has been passed; to move back takes a migration of its own.",
    Outcome.ROLLED_BACK: f"What was built is gone. {_ANEW}",
    Outcome.HALTED: "A person must look: the report says how it came to this.",
}


class NotFailedBack(CrossfadeError):
    """The journal did not end failed back, so there is nothing to cut over again."""

    def __init__(self, migration: str, why: str, remedy: str) -> None:
        self.migration, self.why, self.remedy = migration, why, remedy
        super().__init__(f"there is no later cutover of {migration}: {why}")


class JournalsUntied(CrossfadeError):
    """A journal does not go on from the one that lies before it."""

    remedy = "Do not go on with them. Restore the journals from copies that belong together."

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"journal {number} does not go on from the one before it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a later cutover cannot begin, and what to do. `passing`: it may be gone in a moment, by itself."""

    problem: str
    remedy: str
    passing: bool = False


class NotAsLeft(CrossfadeError):
    """The databases are not as the fail back left them. Nothing was begun, and nothing changed."""

    retryable = True

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        self.obstacles = tuple(obstacles)
        self.remedy = " ".join(dict.fromkeys(obstacle.remedy for obstacle in obstacles))
        problems = "; ".join(obstacle.problem for obstacle in obstacles)
        super().__init__(f"the databases are not as the fail back left them: {problems}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the databases say before a later cutover. `forward` leads to the target, `back` to the source, asleep."""

    writer: Writer | NoData
    replication: Replication | NoData
    forward: WayBack | NoData
    back: WayBack | NoData


def earlier(journals: Sequence[Sequence[Entry]]) -> Earlier:
    """What a journal goes on from that follows `journals`, each of which follows the one before.

    Raises `NotFailedBack` for the last of them, `JournalsUntied`.
    """
    last = journals[-1]
    planned = last[0].event if last else None
    if not isinstance(planned, MigrationPlanned):
        raise NotFailedBack("a migration", "its journal is empty", "Check which journal it is.")
    before = earlier(journals[:-1]) if len(journals) > 1 else None
    if planned.after != before:
        raise JournalsUntied(len(journals))
    state, name = fold(last), planned.plan.migration
    ended = last[-1].event
    if state.outcome is None:
        why = "one has begun already" if planned.after else "it has not ended"
        raise NotFailedBack(name, why, f"Go on with it: `crossfade resume {name}`.")
    if state.outcome is not Outcome.FAILED_BACK:
        reason = ended.reason if isinstance(ended, MigrationEnded) else ""
        why = f"it ended {state.outcome.replace('_', ' ')}: {reason}"
        raise NotFailedBack(name, why, _REMEDIES[state.outcome])
    return Earlier(entries=state.entries_before + last[-1].position, head=last[-1].hash, epoch=state.epoch)


def obstacles(after: Earlier, standing: Standing, limits: ReplicationLimits) -> tuple[Obstacle, ...]:
    """All that keeps a later cutover from beginning; empty when everything is as the fail back left it."""
    found = [*_writer(after, standing.writer), *_replication(standing.replication, limits)]
    found += _path("replication to the target", standing.forward, awake=True)
    found += _path("the way back", standing.back, awake=False)
    return tuple({obstacle.problem: obstacle for obstacle in found}.values())


def _writer(after: Earlier, found: Writer | NoData) -> Iterator[Obstacle]:
    if isinstance(found, NoData):
        yield _unseen("who takes writes", found)
        return
    if found.side is not Side.SOURCE:
        sides = "both sides take" if found.source_open else "neither side takes"
        who = f"the {found.side} takes" if found.side else sides
        yield Obstacle(problem=f"{who} writes", remedy="Somebody has switched by other means: a person must look.")
    if (found.source_epoch, found.target_epoch) != (after.epoch, after.epoch):
        held = f"epochs {found.source_epoch} (source) and {found.target_epoch} (target)"
        yield Obstacle(
            problem=f"they hold {held}, and the fail back left {after.epoch}",
            remedy="Somebody has switched since, under another journal: go on with that one.",
        )


def _replication(found: Replication | NoData, limits: ReplicationLimits) -> Iterator[Obstacle]:
    if isinstance(found, NoData):
        yield _unseen("replication to the target", found)
    elif not found.copied:
        problem = f"{found.tables_copied} of {found.tables} tables are copied"
        yield Obstacle(problem=problem, remedy=_ANEW)
    elif not found.applying:
        problem = "replication to the target is not alive: nothing is applied there"
        yield Obstacle(problem=problem, remedy=_LOOK_AGAIN, passing=True)
    elif found.lag is None or found.lag > limits.lag or found.lag_bytes > limits.lag_bytes:
        late = "late" if found.lag is None else f"{found.lag.total_seconds():.1f} s and {found.lag_bytes} bytes late"
        remedy = "Wait until it has caught up, then say it again."
        yield Obstacle(problem=f"replication to the target is {late}", remedy=remedy, passing=True)


def _path(name: str, found: WayBack | NoData, *, awake: bool) -> Iterator[Obstacle]:
    if isinstance(found, NoData):
        yield _unseen(name, found)
    elif not found.built:
        yield Obstacle(problem=f"{name} is gone", remedy=_ANEW)
    elif awake and not found.proven:
        problem = f"{name} is not proven since the fail back"
        yield Obstacle(problem=problem, remedy=_LOOK_AGAIN, passing=True)


def _unseen(what: str, found: NoData) -> Obstacle:
    if found.lost:
        return Obstacle(problem=found.reason.rstrip("."), remedy=_ANEW)
    return Obstacle(problem=f"{what} cannot be seen: {found.reason.rstrip('.')}", remedy=_LOOK_AGAIN, passing=True)
