"""The rules one by one, in the design's order and words: what is wrong with an entry after the story so far."""

from collections.abc import Iterator
from datetime import timedelta

from crossfade.invariants.story import ENGINE, UNKNOWN, Story, enters, name_of, passes, rungs
from crossfade.model import ends
from crossfade.model.comparing import Agreement
from crossfade.model.entry import Entry
from crossfade.model.events import (
    Approved,
    EndMissed,
    EndReached,
    EndWanted,
    EngineStarted,
    FailBackDecided,
    GatePassed,
    GateWaits,
    Held,
    Looked,
    MigrationEnded,
    MigrationPlanned,
    Overridden,
    PhaseEntered,
    Released,
    RollbackDecided,
    RollbackRequested,
)
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Outcome, Phase, Side

Found = Iterator[str]
_PHASES = list(Phase)
_WORDS = (Approved, Held, Released, RollbackRequested, Overridden)
_UNDOING = (ends.ReplicationRemoved, ends.ServersReverted, ends.FilesReverted)
_FINALIZING = (ends.ServersFinalized, ends.FilesStopped, ends.SourceRetired)
_SEEN_BY = {  # what each gate must have seen, in the names of `Seen`; the judge's gate stands on looks
    "full_load_done": ("replication",),
    "caught_up": ("replication",),
    "servers_ready": ("servers",),
    "files_in_step": ("files",),
    "drained": ("drained",),
    "baked": ("way_back", "writer", "replication", "shares"),
    "way_back_alive": ("way_back", "writer", "replication", "shares"),
    "link_backed": ("links",),
    "answers_agree": ("shadow",),
}
_OVERRIDABLE = ("link_backed", "answers_agree")


def one_writer(story: Story, entry: Entry) -> Found:
    """'At no instant do both databases accept application writes. Traffic moves by shares; writes move at once.'"""
    match entry.event:
        case EndWanted(end=ends.WriterIs(side=side, epoch=epoch)):
            if (side, epoch) != (story.writer.other, story.epoch + 1):
                yield f"the {side} shall write under epoch {epoch}; the {story.writer} does under {story.epoch}"
            if not story.since_switch(ends.SwitchPrepared(to=side)):
                yield f"the switch to the {side} is not prepared"
            forward = story.turned is None and story.phase is Phase.CUTOVER
            if not (forward if side is Side.TARGET else isinstance(story.turned, FailBackDecided)):
                yield f"writes move to the {side} outside its place in the runbook"
        case EndWanted(end=ends.ReplicationRemoved()) if story.writer is Side.TARGET:
            yield "replication is removed while the target takes writes"
        case RollbackDecided() if story.writer is Side.TARGET or story.unsettled in {Side.TARGET, UNKNOWN}:
            yield "rolls back while the target takes writes, or may"
        case FailBackDecided() if story.writer is Side.SOURCE and not story.opened_after_all:
            yield "fails back while the source takes writes"
        case MigrationEnded(outcome=outcome) if outcome is not Outcome.HALTED:
            if (outcome is Outcome.COMPLETED) != (story.writer is Side.TARGET):
                yield f"ended {outcome} while the {story.writer} takes writes"


def way_back(story: Story, entry: Entry) -> Found:
    """'Going back is possible, and tested to be alive (a reverse marker row has arrived), at every moment before
    finalize.'
    """
    event, plan = entry.event, story.plan
    end = event.end if isinstance(event, EndWanted) else None
    unproven = story.writer is Side.TARGET and not story.woken
    if unproven and story.is_step(event) and not isinstance(end, ends.WayBackAwake):
        yield f"goes forward ({name_of(event)}) before the way back is proven after the switch"
    if isinstance(end, ends.WriterIs) and ends.WayBackBuilt() not in story.reached:
        yield "writes move before the way back is built"
    if isinstance(end, _UNDOING) and not isinstance(story.turned, RollbackDecided):
        yield f"{end.kind} is wanted though nobody rolls back"
    if isinstance(end, _FINALIZING) and ends.WayBackEnded() not in story.reached:
        yield f"{end.kind} is wanted before the point of no return"
    if isinstance(end, ends.WayBackEnded) and "way_back_alive" not in story.passed:
        yield "the way back shall end, and nobody has seen it alive since that was approved"
    if isinstance(event, RollbackDecided | FailBackDecided) and not story.returns:
        yield "turns back after the point of no return"
    if plan is None or story.way_back_dead is None or entry.at - story.way_back_dead <= plan.fresh:
        return
    if isinstance(end, ends.WayBackEnded) or passes(event, "baked") or enters(event, Phase.FINALIZE):
        yield f"goes forward ({name_of(event)}) though the way back is dead since {story.way_back_dead.isoformat()}"


def loses_nothing(story: Story, entry: Entry) -> Found:
    """'Fail back, at any time, nothing lost': not over rows that verification has found to differ. docs/adr/0009."""
    event = entry.event
    if isinstance(event, FailBackDecided) and story.loses_writes:
        yield "fails back onto a source that lacks what was written since the cutover"
    elif isinstance(event, FailBackDecided) and story.may_lose_writes and event.cause != "person":
        yield "fails back by itself though that may lose what was written since the cutover"


def verified(story: Story, entry: Entry) -> Found:
    """'Nothing is finalized that was not verified after the last switch.' Nor does anything move unverified."""
    event = entry.event
    is_verified = story.since_switch(ends.DataVerified(primary=story.writer, epoch=story.epoch))
    what = None
    match event:
        case EndWanted(end=ends.WriterIs(side=Side.TARGET)) if story.writer is Side.SOURCE:
            what = "writes move to the target"
        case EndWanted(end=ends.WayBackEnded()):
            what = "the way back shall end"
        case PhaseEntered(phase=Phase.FINALIZE):
            what = "finalize is entered"
        case MigrationEnded(outcome=Outcome.FAILED_BACK):
            what = "ended failed back"
        case MigrationEnded(outcome=Outcome.COMPLETED):
            missing = [end().kind for end in (ends.WayBackEnded, *_FINALIZING) if end() not in story.reached]
            if missing:
                yield f"ended completed without {', '.join(missing)}"
    if what is not None and not is_verified:
        yield f"{what}, and nothing was verified since the last switch"


def baked(story: Story, entry: Entry) -> Found:
    """'Bake: done when both sides are alive, … verification still clean, judged', for its whole time; then finalize."""
    event = entry.event
    in_place = story.phase is Phase.FINALIZE and story.writer is Side.TARGET
    if isinstance(event, EndWanted) and isinstance(event.end, ends.WayBackEnded) and not in_place:
        yield f"the way back shall end in {story.phase} while the {story.writer} takes writes"
    if enters(event, Phase.FINALIZE) and "baked" not in story.passed:
        yield "finalize is entered before bake has ended"
    warm = story.plan.keep_warm if story.plan is not None else timedelta(0)
    kept = entry.at - (story.moved_at or entry.at)
    if passes(event, "kept_warm") and kept < warm:
        yield f"the old side was kept warm for {kept}, and not for {warm}"
    if enters(event, Phase.FINALIZE) and warm and "kept_warm" not in story.passed:
        yield f"finalize is entered before the old side was kept warm for {warm}"
    lasted = entry.at - (story.stepped or entry.at)
    if passes(event, "baked") and (story.phase is not Phase.BAKE or story.plan is None or lasted < story.plan.bake):
        yield f"bake ends in {story.phase} after {lasted}"


def passed_on_data(story: Story, entry: Entry, seen: Seen) -> Found:
    """'Missing data holds; it never passes.' Nor does old data. Only the link's backup and answers that
    differ can be overridden.
    """
    event, plan = entry.event, story.plan
    if not isinstance(event, GatePassed) or plan is None:
        return
    if event.gate in _OVERRIDABLE and story.overridden(entry.at):
        return
    for name in _SEEN_BY.get(event.gate, ()):
        sighting = getattr(seen, name)
        if isinstance(sighting.value, NoData):
            yield f"{event.gate} passed without data of {name}: {sighting.value.reason}"
        elif seen.at - sighting.at > plan.fresh:
            yield f"{event.gate} passed on {name} of {(seen.at - sighting.at).total_seconds():.1f} s before"


def judged_on_data(story: Story, entry: Entry) -> Found:
    """The same of the judge, whose looks are in the journal. One look may come as late as two sightings are fresh."""
    event, plan = entry.event, story.plan
    if isinstance(event, Looked) and event.share != story.share / 100:
        yield f"counts of {story.share:g} % are judged as those of {event.share:.0%}"
    if not isinstance(event, GatePassed) or plan is None:
        return
    if event.gate.startswith("judged:"):
        yield from _judged_in_place(story, entry, event)
    elif not event.gate.startswith("approved:") or story.share == 0:
        return
    if story.overridden(entry.at):
        return
    if story.looked is None or story.looked_at is None or entry.at - story.looked_at > 2 * plan.fresh:
        yield f"{event.gate} passed without a fresh look"
    elif story.looked.verdict != "promote":
        yield f"{event.gate} passed, and the judge said {story.looked.verdict}"


def _judged_in_place(story: Story, entry: Entry, event: GatePassed) -> Found:
    ladder = rungs(story.plan) if story.plan is not None else ()
    rung = next((r for n, r in enumerate(ladder) if event.gate == f"judged:{n}"), None)
    if rung is None:
        yield f"{event.gate} passed, and the ladder has no such share"
    elif rung.percent != story.share or story.share_since is None or entry.at - story.share_since < rung.bake:
        yield f"{event.gate} passed before {rung.percent:g} % had its {rung.bake}"


def previewed(story: Story, entry: Entry) -> Found:
    """'Blue-green is the ladder 0, 100 with checks before and after': for all of the preview, and none has failed."""
    if not passes(entry.event, "previewed") or story.plan is None:
        return
    least = story.plan.preview
    if least is None or story.sound_since is None or story.checked_at is None:
        yield "previewed passed, and the new side's checks have not"
    elif story.checked_at - story.sound_since < least or entry.at - story.checked_at > max(
        story.plan.fresh, story.plan.check_every
    ):
        yield f"previewed passed after checks from {story.sound_since.isoformat()} to {story.checked_at.isoformat()}"


def compared_on_data(story: Story, entry: Entry) -> Found:
    """The same of the answers to mirrored requests: no user is sent where they differ, or where nobody has compared."""
    event, plan = entry.event, story.plan
    if plan is None or not plan.mirror_percent:
        return
    if enters(event, Phase.CANARY) and "answers_agree" not in story.passed:
        yield "canary is entered before answers were compared"
    if not passes(event, "answers_agree") or story.overridden(entry.at):
        return
    lasted = entry.at - (story.stepped or entry.at)
    if lasted < plan.shadow.duration:
        yield f"answers were compared for {lasted}"
    found = story.compared
    if found is None or found.reading.pairs < plan.shadow.minimum_pairs:
        yield f"answers agree after {found.reading.pairs if found else 0} pairs"
    elif found.verdict is not Agreement.AGREES:
        yield f"answers agree, and the last look said {found.verdict}"


def words(story: Story, entry: Entry) -> Found:
    """'Hold, roll back and override are commands that a person can give at any moment; an override names who, why and
    until when, and is in the journal.' Approvals likewise come before what they approve.
    """
    event = entry.event
    needed = story.plan.approval(story.phase) if story.plan is not None and story.phase is not None else None
    if story.is_step(event):
        if story.held:
            yield f"goes forward ({name_of(event)}) while it is held"
        if needed is not None and "approved" not in story.passed and not passes(event, "approved"):
            yield f"goes forward ({name_of(event)}) before {story.phase} is approved"
    if story.asked and (story.is_step(event) or isinstance(event, MigrationEnded)):
        yield f"goes on ({name_of(event)}) before the request to roll back is answered"
    halts = isinstance(event, MigrationEnded) and event.outcome is Outcome.HALTED  # then it was refused with reason
    if story.refused_though_open and not halts:
        yield "a request to roll back is refused though the way back is open"
    yield from _approved(story, entry)
    if isinstance(event, Overridden) and (entry.by in {"", ENGINE} or not event.reason or event.until <= entry.at):
        yield f"an override by {entry.by!r} because {event.reason!r} until {event.until.isoformat()}"


def _approved(story: Story, entry: Entry) -> Found:
    """By as many as must, of those who may, with words that are not too old."""
    event, plan = entry.event, story.plan
    if not isinstance(event, GatePassed) or plan is None or story.phase is None:
        return
    gate, _, share = event.gate.partition(":")
    needed = plan.approval(story.phase, float(share) if share else None) if gate == "approved" else None
    if needed is None:
        return
    who = {
        name
        for (phase, approved, name), at in story.approved.items()
        if (phase, approved) == (needed.phase, needed.share)
        and (needed.valid_for is None or (phase, approved, name) in story.unheard or entry.at - at <= needed.valid_for)
    }
    counted = who & set(needed.by) if needed.by else who
    if needed.stand_in not in who and len(counted) < needed.count:
        yield f"{event.gate} of {needed.phase} passed with {len(counted)} of {needed.count} approvals"


def in_order(story: Story, entry: Entry) -> Found:
    """'Events never dropped': no position without its entry, phases in order, one turn, after the end nothing.

    A second turn is the one from rolling back to failing back, where a switch went on by itself.
    """
    event = entry.event
    if entry.position != story.position + 1:
        yield f"follows entry {story.position}"
    if story.ended:
        yield f"{name_of(event)} after the end"
    if isinstance(event, PhaseEntered):
        following = story.phase.next if story.phase is not None else Phase.PREPARE
        if story.turned is not None or event.phase is not following:
            yield f"{event.phase} is entered from {story.turned.kind if story.turned else story.phase}"
    if story.turned is not None:
        if isinstance(event, RollbackDecided) or (isinstance(event, FailBackDecided) and not story.opened_after_all):
            yield "turns back twice"
        if isinstance(event, GatePassed) and event.gate not in {"drained", "files_in_step"}:
            yield f"{event.gate} passed on the way back"


def damped(story: Story, entry: Entry) -> Found:
    """'No flapping: decisions are damped, events never dropped': what the judge or a guard said is acted upon."""
    event, plan = entry.event, story.plan
    if story.abort is not None and story.is_step(event):
        yield f"goes forward ({name_of(event)}) after: {story.abort}"
    waits = story.waits
    if isinstance(event, GateWaits) and waits and (event.gate, event.cause) == (waits.gate, waits.cause):
        yield f"says twice that {event.gate} waits because of {event.cause}"
    if not isinstance(event, EndWanted) or story.missed is None or plan is None or story.missed_at is None:
        return
    if event.end == story.missed.end and entry.at - story.missed_at < plan.retry_after:
        yield f"tries again ({name_of(event)}) after {entry.at - story.missed_at}"


def shares(story: Story, entry: Entry) -> Found:
    """'Shares only rise by the ladder, and fall at once.'"""
    event, plan = entry.event, story.plan
    if isinstance(event, MigrationPlanned):
        steps = [rung.percent for rung in rungs(event.plan)]
        if steps != sorted(set(steps)) or not steps or steps[-1] != 100.0:
            yield f"the ladder {steps} does not rise to 100"
    if enters(event, Phase.CUTOVER) and plan is not None and f"judged:{len(rungs(plan)) - 1}" not in story.passed:
        yield "cutover is entered before the whole ladder was judged"
    if not isinstance(event, EndWanted):
        return
    if isinstance(event.end, ends.CutoverInstancesGone) and (story.share or story.phase is not Phase.REPLICATE):
        yield f"modern servers shall end in {story.phase} with {story.share:g} % of the users on them"
    percent = event.end.canary_percent if isinstance(event.end, ends.SharesAre) else None
    if story.turned is not None:
        if percent != 0 and (percent is not None or (story.share > 0 and not story.fell)):
            yield f"the share does not fall at once, but first: {name_of(event)}"
    elif percent is not None and percent != story.share and plan is not None:
        yield from _rises(story, percent, [0.0, *(rung.percent for rung in rungs(plan))])


def _rises(story: Story, percent: float, ladder: list[float]) -> Found:
    place = sum(1 for rung in ladder[1:] if rung <= story.share)
    if story.phase is not Phase.CANARY or percent not in ladder[place + 1 : place + 2]:
        yield f"the share goes from {story.share:g} % to {percent:g} % in {story.phase}"
    elif place and f"judged:{place - 1}" not in story.passed:
        yield f"the share rises to {percent:g} % before {story.share:g} % was judged"
    plan = story.plan
    if plan is not None and plan.approval(Phase.CANARY, percent) and f"approved:{percent:g}" not in story.passed:
        yield f"the share rises to {percent:g} % before that is approved"
    if plan is not None and plan.preview is not None and "previewed" not in story.passed:
        yield f"everybody moves before {plan.preview} of preview"


def record(story: Story, entry: Entry) -> Found:
    """'Durable before anything acts on it or shows it': an intent, then its outcome, one at a time."""
    event = entry.event
    if isinstance(event, EndReached | EndMissed):
        if story.wanted is None or event.end != story.wanted:
            yield f"{name_of(event)} was not wanted"
    elif story.wanted is not None and not isinstance(event, (*_WORDS, EngineStarted)):
        yield f"{name_of(event)} while {story.wanted.kind} has no outcome"
    by_others = ends.SharesAre | ends.MirrorIs  # may be changed by somebody else, and are set again
    end = event.end if isinstance(event, EndWanted) and not isinstance(event.end, by_others) else None
    if end is not None and not story.repeats_check(end) and story.reached.get(end, 0) > story.began:
        yield f"{name_of(event)} again, which was reached already in this place"
    if (story.position == 0) != isinstance(event, MigrationPlanned):
        yield "a journal begins with its plan, and has one"
