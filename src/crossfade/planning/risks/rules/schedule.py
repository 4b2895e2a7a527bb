"""What the schedule shows: windows that do not hold what they must, copies that never end, days that do not fit.

A schedule is laid out by `crossfade plan`; without one none of these is told.
"""

from collections.abc import Callable, Iterable, Iterator

from crossfade.planning.risks.knowledge import Category, Clue, Countered, Known, Seen, Shown, always, shown
from crossfade.planning.risks.rating import Probability
from crossfade.planning.schedule.records import Concern, Remark, Schedule

_TOLD = 5
"""Waves that are listed one by one."""


def _remarked(concern: Concern, probability: Callable[[Schedule], Probability]) -> Callable[[Seen], Shown | None]:
    """Shown by the schedule's remarks of that kind."""

    def look(seen: Seen) -> Shown | None:
        if seen.schedule is None:
            return None
        clues = tuple(_clues(one for one in seen.schedule.remarks if one.concern is concern))
        return shown(probability(seen.schedule), clues) if clues else None

    return look


def _clues(remarks: Iterable[Remark]) -> Iterator[Clue]:
    found = list(remarks)
    for one in found[:_TOLD]:
        yield Clue(one.says, where=f"the schedule, wave {one.wave}" if one.wave is not None else "the schedule")
    if len(found) > _TOLD:
        yield Clue(f"and the same of {len(found) - _TOLD:,} more waves", where="the schedule")


def _of_windows(schedule: Schedule) -> Probability:
    """A wave that misses its window in most trials will; one that does in one of ten and more may."""
    missed = [
        wave.in_window.p50 is None or wave.in_window.p50 > wave.window.closes - wave.window.opens
        for wave in schedule.waves
        if wave.window is not None
    ]
    return Probability.EXPECTED if any(missed) else Probability.POSSIBLE


def _expected(_: Schedule) -> Probability:
    return Probability.EXPECTED


def _likely(_: Schedule) -> Probability:
    """The schedule is laid out by what nine of ten trials do not exceed: it may come better than that."""
    return Probability.LIKELY


RISKS = (
    Known(
        id="never-caught-up",
        title="Changes come faster than the link carries them, and copying never ends",
        category=Category.SCHEDULE,
        impact=4,
        look=_remarked(Concern.NEVER_COPIED, _expected),
        countered=(
            Countered(
                "the slot is dropped before WAL fills the source",
                "database.replication.wal.drop_at",
                always,
                impact=1,
            ),
        ),
        contingencies=("widen the link for the copy", "move less at once", "measure the change rate, then plan again"),
        limits=(("changes arrive later than this", "database.replication.max_lag_time"),),
    ),
    Known(
        id="window-missed",
        title="Traffic shift and cutover are not done when the change window closes",
        category=Category.SCHEDULE,
        impact=3,
        look=_remarked(Concern.LONGER_THAN_WINDOW, _of_windows),
        countered=(Countered("going back takes a moment at any share", "limits.rollback_within", always, impact=1),),
        contingencies=(
            "send everybody back and take the next window",
            "hold at the share that is reached, with users on both sides, until the next window",
        ),
        limits=(
            ("the window closes", "planning.windows"),
            ("each share lasts at least this long", "traffic.ladder.bake"),
        ),
    ),
    Known(
        id="copy-begins-before-start",
        title="A copy would have to begin before the migration does, and is late from the first day",
        category=Category.SCHEDULE,
        impact=2,
        look=_remarked(Concern.BEGINS_BEFORE_START, _expected),
        contingencies=("begin earlier", "move the wave to a later window", "widen the link for the copy"),
        limits=(
            ("copying begins before this day", "planning.start"),
            ("the full load takes longer than this", "database.replication.full_load_limit"),
        ),
    ),
    Known(
        id="deadline-missed",
        title="The data center is not empty on the day by which it must be",
        category=Category.SCHEDULE,
        impact=4,
        look=_remarked(Concern.AFTER_DEADLINE, _likely),
        contingencies=("extend the contract of the data center", "move larger waves", "shorten the bake"),
        limits=(("a wave is finalized after this day", "planning.deadline"),),
    ),
    Known(
        id="change-in-blackout",
        title="A change lasts into days on which nothing may be changed",
        category=Category.SCHEDULE,
        impact=3,
        look=_remarked(Concern.IN_BLACKOUT, _likely),
        contingencies=("send everybody back before the first of these days", "have the days agreed anew"),
        limits=(("a cutover falls on one of these days", "planning.blackouts"),),
    ),
    Known(
        id="sizes-guessed",
        title="The schedule stands on sizes that nobody knows",
        category=Category.UNKNOWN,
        impact=2,
        look=_remarked(Concern.SIZE_UNKNOWN, _likely),
        contingencies=("plan again as soon as the first copies show how large they are",),
        limits=(("the full load takes longer than this", "database.replication.full_load_limit"),),
    ),
)
