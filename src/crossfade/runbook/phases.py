"""The runbook as a table: for each phase the steps that bring it about, and the ends that undo it.

A step reaches an end or awaits a gate. `decide` reads these rows; it knows no phase by name but where a rule does.
"""
# ruff: noqa: ARG001 - the rows of a table have one signature

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from crossfade.model import ends
from crossfade.model.ends import End
from crossfade.model.plan import LadderStep, Plan
from crossfade.model.terms import Phase, Side, Suite


class Course(StrEnum):
    """Where a migration is heading."""

    FORWARD = "forward"
    ROLLING_BACK = "rolling_back"
    FAILING_BACK = "failing_back"


class Gate(StrEnum):
    """What must be true before the next step, as seen in the world or said by a person."""

    APPROVED = "approved"
    FULL_LOAD_DONE = "full_load_done"
    CAUGHT_UP = "caught_up"
    SERVERS_READY = "servers_ready"
    FILES_IN_STEP = "files_in_step"
    ANSWERS_AGREE = "answers_agree"
    JUDGED = "judged"
    DRAINED = "drained"
    BAKED = "baked"
    WAY_BACK_ALIVE = "way_back_alive"
    LINK_BACKED = "link_backed"
    PREVIEWED = "previewed"
    KEPT_WARM = "kept_warm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    end: End


@dataclass(frozen=True, slots=True, kw_only=True)
class Await:
    """`rung` is the ladder's step that JUDGED is about, counted from 0; `share`, in percent, what APPROVED is about."""

    gate: Gate
    rung: int = 0
    share: float | None = None

    @property
    def name(self) -> str:
        if self.share is not None:
            return f"{self.gate}:{self.share:g}"
        return f"{self.gate}:{self.rung}" if self.gate is Gate.JUDGED else str(self.gate)


Step = Reach | Await


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One phase. `undo` lists the ends that undo its work, in the order in which they are brought about."""

    steps: Callable[[Plan, int], tuple[Step, ...]]
    undo: tuple[End, ...] = ()


def steps_forward(plan: Plan, phase: Phase, epoch: int) -> tuple[Step, ...]:
    """The steps of `phase`. `epoch` is that of the last switch before the phase (0: none yet)."""
    approval = (Await(gate=Gate.APPROVED),) if plan.approval(phase) else ()
    return approval + RUNBOOK[phase].steps(plan, epoch)


def steps_rolling_back(phase: Phase) -> tuple[Step, ...]:
    """Everything that `phase` and the phases before it built is undone, newest first; then the source is checked."""
    reached = list(Phase)[: list(Phase).index(phase) + 1]
    undone: list[Step] = [Reach(end=end) for row in reversed(reached) for end in RUNBOOK[row].undo]
    if Phase.CANARY in reached:
        undone.insert(1, Await(gate=Gate.DRAINED))
    return (*undone, Reach(end=ends.ChecksPassed(suite=Suite.SOURCE)))


def steps_failing_back(epoch: int) -> tuple[Step, ...]:
    """The mirrored switch. `epoch` is the one under which the target writes; the source writes under the next.

    Whoever turns back right after the cutover finds the way back asleep, and files still going the other way: both are
    turned first, or nothing would drain, and files written on the target would stay there. Once the source takes writes
    the files come home before replication to the target wakes: that may have been lost meanwhile, which ends it all.
    """
    return (
        Reach(end=ends.SharesAre(canary_percent=0.0)),
        Reach(end=ends.WayBackAwake(primary=Side.TARGET, epoch=epoch)),
        Reach(end=ends.FilesFollow(primary=Side.TARGET)),
        Reach(end=ends.SwitchPrepared(to=Side.SOURCE)),
        Reach(end=ends.WriterIs(side=Side.SOURCE, epoch=epoch + 1)),
        Reach(end=ends.FilesFollow(primary=Side.SOURCE)),
        Await(gate=Gate.FILES_IN_STEP),
        Reach(end=ends.WayBackAwake(primary=Side.SOURCE, epoch=epoch + 1)),
        Reach(end=ends.ChecksPassed(suite=Suite.SOURCE)),
        Reach(end=ends.DataVerified(primary=Side.SOURCE, epoch=epoch + 1)),
    )


def rungs(plan: Plan) -> tuple[LadderStep, ...]:
    """The shares above 0: a blue-green ladder of 0 and 100 has one."""
    return tuple(step for step in plan.ladder if step.percent > 0)


def _prepare(plan: Plan, epoch: int) -> tuple[Step, ...]:
    return (
        Reach(end=ends.NetworkConnected()),
        Reach(end=ends.PreflightClean()),
        Reach(end=ends.ChecksPassed(suite=Suite.SOURCE)),
    )


def _replicate(plan: Plan, epoch: int) -> tuple[Step, ...]:
    # After an earlier cutover all of it stands, or nothing goes on: what is gone would be made anew, with a full load.
    stands = (Await(gate=Gate.CAUGHT_UP),) if epoch else ()
    relaunch = (Reach(end=ends.CutoverInstancesGone()),) if epoch else ()
    return (
        *stands,
        Reach(end=ends.SchemaCreated()),
        Reach(end=ends.ReplicationStarted()),
        *relaunch,
        Reach(end=ends.ServersReplicating()),
        Reach(end=ends.FilesFollow(primary=Side.SOURCE)),
        Await(gate=Gate.FULL_LOAD_DONE),
        Reach(end=ends.SchemaCompleted()),
        Reach(end=ends.WayBackBuilt()),
        Await(gate=Gate.CAUGHT_UP),
        Await(gate=Gate.SERVERS_READY),
        Await(gate=Gate.FILES_IN_STEP),
    )


def _validate(plan: Plan, epoch: int) -> tuple[Step, ...]:
    # Where answers are compared, it is the test instances that give them: they stay for it.
    gone = () if plan.mirror_percent else (Reach(end=ends.TestInstancesGone()),)
    return (
        Reach(end=ends.TestInstancesRunning()),
        Reach(end=ends.ChecksPassed(suite=Suite.TEST_INSTANCES)),
        Reach(end=ends.DataVerified(primary=Side.SOURCE, epoch=epoch)),
        *gone,
    )


def _shadow(plan: Plan, epoch: int) -> tuple[Step, ...]:
    if not plan.mirror_percent:
        return (Reach(end=ends.MirrorIs(percent=0.0)),)
    return (
        Reach(end=ends.MirrorIs(percent=plan.mirror_percent)),
        Await(gate=Gate.ANSWERS_AGREE),
        Reach(end=ends.MirrorIs(percent=0.0)),
        Reach(end=ends.TestInstancesGone()),
    )


def _canary(plan: Plan, epoch: int) -> tuple[Step, ...]:
    ladder: list[Step] = []
    for number, rung in enumerate(rungs(plan)):
        if plan.approval(Phase.CANARY, rung.percent):
            ladder.append(Await(gate=Gate.APPROVED, rung=number, share=rung.percent))
        ladder += [Reach(end=ends.SharesAre(canary_percent=rung.percent)), Await(gate=Gate.JUDGED, rung=number)]
    return (
        Reach(end=ends.MirrorIs(percent=0.0)),
        Reach(end=ends.CutoverInstancesRunning()),
        Reach(end=ends.ChecksPassed(suite=Suite.TARGET)),
        *((Await(gate=Gate.PREVIEWED),) if plan.preview is not None else ()),
        *ladder,
    )


def _cutover(plan: Plan, epoch: int) -> tuple[Step, ...]:
    # Asked at first, so that nobody verifies in vain, and again when that has taken its time.
    backed = (Await(gate=Gate.LINK_BACKED),) if plan.needs_backup_link else ()
    return (
        Await(gate=Gate.CAUGHT_UP),
        *backed,
        Reach(end=ends.ChecksPassed(suite=Suite.TARGET)),
        Reach(end=ends.DataVerified(primary=Side.SOURCE, epoch=epoch)),
        *backed,
        *_switch(Side.TARGET, epoch + 1),
    )


def _bake(plan: Plan, epoch: int) -> tuple[Step, ...]:
    # Kept warm before the point of no return: afterwards the old side could take nobody back.
    warm = (Await(gate=Gate.KEPT_WARM),) if plan.keep_warm else ()
    return (
        Reach(end=ends.ChecksPassed(suite=Suite.TARGET)),
        Await(gate=Gate.FILES_IN_STEP),
        Await(gate=Gate.BAKED),
        *warm,
        Reach(end=ends.DataVerified(primary=Side.TARGET, epoch=epoch)),
    )


def _finalize(plan: Plan, epoch: int) -> tuple[Step, ...]:
    # The bake has seen it alive, but an approval may have taken days since. At last the share is set once more: what
    # is seen of a router may be old, and users whom it has sent back meanwhile find nobody there.
    return (
        Await(gate=Gate.WAY_BACK_ALIVE),
        Reach(end=ends.WayBackEnded()),
        Reach(end=ends.ServersFinalized()),
        Reach(end=ends.FilesStopped()),
        Reach(end=ends.SourceRetired()),
        Reach(end=ends.ChecksPassed(suite=Suite.TARGET)),
        Reach(end=ends.SharesAre(canary_percent=100.0)),
    )


def _switch(to: Side, epoch: int) -> tuple[Step, ...]:
    return (
        Reach(end=ends.SwitchPrepared(to=to)),
        Reach(end=ends.WriterIs(side=to, epoch=epoch)),
        Reach(end=ends.WayBackAwake(primary=to, epoch=epoch)),
        Reach(end=ends.FilesFollow(primary=to)),
    )


RUNBOOK: dict[Phase, Row] = {
    Phase.PREPARE: Row(steps=_prepare),
    Phase.REPLICATE: Row(
        steps=_replicate, undo=(ends.ServersReverted(), ends.FilesReverted(), ends.ReplicationRemoved())
    ),
    Phase.VALIDATE: Row(steps=_validate),
    Phase.SHADOW: Row(steps=_shadow, undo=(ends.MirrorIs(percent=0.0),)),
    Phase.CANARY: Row(steps=_canary, undo=(ends.SharesAre(canary_percent=0.0),)),
    Phase.CUTOVER: Row(steps=_cutover),
    Phase.BAKE: Row(steps=_bake),
    Phase.FINALIZE: Row(steps=_finalize),
}
