"""What may happen to users, and to the way back from it."""

from datetime import timedelta

from crossfade.model.file import MigrationFile
from crossfade.model.file.traffic import Strategy
from crossfade.planning.risks.knowledge import Category, Clue, Countered, Known, Seen, Shown, always, nothing_shows
from crossfade.planning.risks.rating import Probability

_DAY = timedelta(days=1)
"""A bake shorter than this misses what happens once a day."""


def _no_shadow(seen: Seen) -> Shown | None:
    if seen.file.shadow.enabled:
        return None
    return Shown(Probability.POSSIBLE, (Clue("answers are not compared before users move", "shadow.enabled"),))


def _not_kept_warm(seen: Seen) -> Shown | None:
    kept = seen.file.traffic.keep_warm
    if kept >= timedelta(hours=1):
        return None
    says = f"the old side may be stopped {kept} after all have moved" if kept else "the old side is not kept warm"
    return Shown(Probability.LIKELY, (Clue(says, "traffic.keep_warm"),))


def _short_bake(seen: Seen) -> Shown | None:
    bake = seen.file.bake.duration
    if bake >= _DAY:
        return None
    return Shown(Probability.POSSIBLE, (Clue(f"both sides live for {bake} only", "bake.duration"),))


def _by_hand(seen: Seen) -> Shown | None:
    if seen.file.bake.fail_back_automatically:
        return None
    return Shown(Probability.POSSIBLE, (Clue("a person is waited for", "bake.fail_back_automatically"),))


def _all_at_once(seen: Seen) -> Shown | None:
    if seen.file.traffic.strategy is not Strategy.BLUE_GREEN:
        return None
    return Shown(Probability.LIKELY, (Clue("everybody moves in one step", "traffic.strategy"),))


def _unwatched(seen: Seen) -> Shown | None:
    if seen.file.metrics.business:
        return None
    return Shown(Probability.POSSIBLE, (Clue("errors and latency are judged, and nothing else", "metrics.business"),))


def _posture(seen: Seen) -> Shown | None:
    posture = seen.file.posture
    told = (
        (posture.block_cutover, "findings do not hold the cutover", "posture.block_cutover"),
        (posture.require_mfa, "who approves needs no second factor", "posture.require_mfa"),
        (not posture.accept, "findings are accepted", "posture.accept"),
    )
    clues = tuple(Clue(says, path) for good, says, path in told if not good)
    return Shown(Probability.POSSIBLE, clues) if clues else None


def _no_dates(seen: Seen) -> Shown | None:
    planning = seen.file.planning
    told = ((planning.start, "no start", "planning.start"), (planning.deadline, "no deadline", "planning.deadline"))
    clues = tuple(Clue(f"{says} is given", path) for given, says, path in told if given is None)
    return Shown(Probability.POSSIBLE, clues) if clues else None


def _climbs(file: MigrationFile) -> bool:
    return file.traffic.strategy is Strategy.CANARY


RISKS = (
    Known(
        id="modern-side-worse",
        title="The modern servers are slower, or fail more often",
        category=Category.TRAFFIC,
        impact=3,
        look=nothing_shows,
        common=Probability.LIKELY,
        countered=(
            Countered("few users feel it first", "traffic.ladder.start", _climbs, impact=1),
            Countered("each share is judged", "limits.judge.alpha_percent", always, probability=1),
        ),
        contingencies=("the share goes to 0 by itself", "crossfade rollback"),
        limits=(
            ("more requests fail than this", "limits.max_error_rate_percent"),
            ("the 95th percentile is over this", "limits.max_p95"),
            ("the budget of this objective is used up too fast", "limits.burn_rate.objective_percent"),
        ),
    ),
    Known(
        id="no-shadow",
        title="Users are the first to see wrong answers",
        category=Category.TRAFFIC,
        impact=3,
        look=_no_shadow,
        countered=(Countered("few users see them first", "traffic.ladder.start", _climbs, impact=1),),
        contingencies=("the share goes to 0; compare recorded answers with crossfade shadow compare",),
        limits=(("more requests fail than this", "limits.max_error_rate_percent"),),
    ),
    Known(
        id="all-at-once",
        title="A fault of the new side meets everybody at once",
        category=Category.TRAFFIC,
        impact=3,
        look=_all_at_once,
        countered=(
            Countered(
                "it is checked before",
                "traffic.blue_green.preview",
                lambda file: file.traffic.blue_green.preview > timedelta(0),
                probability=1,
            ),
        ),
        contingencies=("everybody goes back at once",),
        limits=(("more requests fail than this", "limits.max_error_rate_percent"),),
    ),
    Known(
        id="not-kept-warm",
        title="Users must go back, and the old side is gone or cold",
        category=Category.TRAFFIC,
        impact=4,
        look=_not_kept_warm,
        countered=(
            Countered(
                "the bake keeps it as well",
                "bake.duration",
                lambda file: file.bake.duration >= _DAY,
                probability=1,
            ),
        ),
        contingencies=("start the old servers, then fail back",),
        limits=(("users are not back within this", "limits.rollback_within"),),
    ),
    Known(
        id="short-bake",
        title="What happens once a day shows after the point of no return",
        category=Category.TRAFFIC,
        impact=4,
        look=_short_bake,
        contingencies=("repair forward: nothing leads back any more",),
        limits=(("the bake is over", "bake.duration"),),
    ),
    Known(
        id="fail-back-by-hand",
        title="Going back waits for a person",
        category=Category.TRAFFIC,
        impact=3,
        look=_by_hand,
        contingencies=("crossfade rollback",),
        limits=(("users are not back within this", "limits.rollback_within"),),
    ),
    Known(
        id="business-unwatched",
        title="The system answers well, and the business goes badly",
        category=Category.TRAFFIC,
        impact=3,
        look=_unwatched,
        countered=(Countered("few users feel it first", "traffic.ladder.start", _climbs, impact=1),),
        contingencies=("crossfade rollback, as soon as the business tells",),
        limits=(("nothing promotes on fewer requests than this", "limits.judge.minimum_requests"),),
    ),
    Known(
        id="posture-accepted",
        title="The cutover goes on although security is not as it should be",
        category=Category.SECURITY,
        impact=3,
        look=_posture,
        contingencies=("hold before cutover until the finding is gone",),
        limits=(("keys are older than this", "posture.key_rotation_days"),),
    ),
    Known(
        id="no-dates",
        title="Nobody notices that the migration is late",
        category=Category.SCHEDULE,
        impact=2,
        look=_no_dates,
        contingencies=("set both dates, and let the plan be made anew",),
        limits=(("a share holds for longer than this", "limits.hold_at_most"),),
    ),
)
