"""A migration as it really goes, made by hand: journal, progress, seconds and write windows, always the same."""

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from crossfade.journal.memory import MemoryJournal
from crossfade.journal.port import Entry
from crossfade.model import ends, events
from crossfade.model.comparing import Agreement, FieldFinding, FieldJudged, ShadowReading
from crossfade.model.counts import ArmCounts, ArmReading
from crossfade.model.events import Event
from crossfade.model.plan import LadderStep, Plan, ShadowLimits
from crossfade.model.progress import ArmRates, Progress
from crossfade.model.terms import Outcome, Phase, Side, Suite
from crossfade.report.series import ArmSecond, WriteWindow

START = datetime(2031, 5, 4, 9, 30, tzinfo=UTC)
LADDER = (5.0, 15.0, 25.0, 50.0, 75.0, 90.0, 100.0)
PLAN = Plan(
    migration="ledger",
    ladder=tuple(LadderStep(percent=percent, bake=timedelta(seconds=8)) for percent in LADDER),
    warm_up=timedelta(seconds=2),
    bake=timedelta(seconds=20),
)
NO_COUNTS = ArmCounts(requests=0, errors=0)
READING = ArmReading(boot="1", baseline=NO_COUNTS, canary=NO_COUNTS)
CUTOVER, FAIL_BACK = 145.0, 172.0


def entries(script: list[tuple[float, str, Event]]) -> tuple[Entry, ...]:
    journal = MemoryJournal()
    for version, (second, by, event) in enumerate(script):
        journal.append([event], expected=version, at=START + timedelta(seconds=second), by=by)
    return journal.read()


def look(second: float, step: int, verdict: str, e_value: float, reason: str, **more: Any) -> tuple[float, str, Event]:
    share = LADDER[step - 1] / 100
    looked = events.Looked(
        step=step,
        share=share,
        duration=timedelta(seconds=2),
        baseline=ArmCounts(requests=round(600 * (1 - share)), errors=0),
        canary=ArmCounts(requests=round(600 * share), errors=0),
        reading=READING,
        verdict=verdict,
        metric="latency",
        e_value=e_value,
        reason=reason,
        **more,
    )
    return second, "engine", looked


def reach(second: float, end: ends.End, took: float = 1.0, **facts: Any) -> list[tuple[float, str, Event]]:
    return [
        (second, "engine", events.EndWanted(end=end)),
        (second + took, "engine", events.EndReached(end=end, facts=facts)),
    ]


def beginning() -> list[tuple[float, str, Event]]:
    def entered(second: float, phase: Phase) -> tuple[float, str, Event]:
        return second, "engine", events.PhaseEntered(phase=phase)

    return [
        (0, "engine", events.MigrationPlanned(plan=PLAN)),
        (0, "engine", events.EngineStarted()),
        entered(0.1, Phase.PREPARE),
        *reach(0.2, ends.NetworkConnected(), links=2),
        *reach(1.5, ends.PreflightClean(), findings=0, tables=11),
        entered(4, Phase.REPLICATE),
        *reach(4.1, ends.SchemaCreated()),
        *reach(5.2, ends.ReplicationStarted(), 0.4),
        (5.8, "engine", events.GateWaits(gate="full_load_done", cause="full_load", reason="3 of 11 tables are copied")),
        (14, "engine", events.GatePassed(gate="full_load_done", facts={"tables": 11})),
        *reach(14.1, ends.SchemaCompleted(), 3.0),
        *reach(17.2, ends.WayBackBuilt()),
        *reach(18.5, ends.ServersReplicating(), 4.0, servers=12),
        *reach(22.6, ends.FilesFollow(primary=Side.SOURCE), 0.2),
        (28, "engine", events.GatePassed(gate="caught_up", facts={"lag_seconds": 0.31, "lag_bytes": 12_288})),
        entered(30, Phase.VALIDATE),
        *reach(30.1, ends.TestInstancesRunning(), 5.0, servers=12),
        *reach(35.3, ends.ChecksPassed(suite=Suite.TEST_INSTANCES), 2.0, checks=36),
        *reach(37.5, ends.DataVerified(primary=Side.SOURCE, epoch=0), 9.0, rows=181_204, differences=0),
        entered(48, Phase.SHADOW),
        entered(48.2, Phase.CANARY),
    ]


def climb() -> list[tuple[float, str, Event]]:
    script: list[tuple[float, str, Event]] = []
    for step, percent in enumerate(LADDER, start=1):
        second = 50 + 12.0 * (step - 1)
        script += reach(second, ends.SharesAre(canary_percent=percent), 0.3, measured_percent=percent)
        script.append((second + 2.4, "engine", events.CountingStarted(reading=READING)))
        script.append(look(second + 5, step, "hold", 0.6 + step / 9, "the canary has answered too few requests"))
        script.append(look(second + 8, step, "hold", 0.4, "the canary has answered too few requests"))
        script.append(look(second + 10, step, "promote", 0.08 * step, "it takes 1.01 times as long (0.97 to 1.04)"))
        facts: dict[str, Any] = {"share": percent / 100, "e_value": 0.08 * step}
        script.append((second + 11, "engine", events.GatePassed(gate=f"judged:{step - 1}", facts=facts)))
    return script


def completed() -> tuple[Entry, ...]:
    """All the way: held and released once, approved by a person, resumed after a crash in bake."""
    script = [
        *beginning(),
        *climb(),
        (88, "Ada", events.Held(reason="lunch <b>first</b>")),
        (90, "Ada", events.Released(reason="back again")),
        (136, "engine", events.PhaseEntered(phase=Phase.CUTOVER)),
        (
            136,
            "engine",
            events.GateWaits(gate="approved", cause="approval", reason="cutover needs a person's approval"),
        ),
        (142, "Grace Hopper", events.Approved(phase=Phase.CUTOVER, reason="looks good & quiet")),
        (142.1, "engine", events.GatePassed(gate="approved", facts={"phase": "cutover"})),
        *reach(142.2, ends.SwitchPrepared(to=Side.TARGET), 2.0),
        *reach(CUTOVER, ends.WriterIs(side=Side.TARGET, epoch=1), 0.2, write_window_ms=41.3, resumed=False),
        *reach(145.4, ends.WayBackAwake(primary=Side.TARGET, epoch=1), 0.9),
        *reach(146.4, ends.FilesFollow(primary=Side.TARGET), 0.3),
        (147, "engine", events.PhaseEntered(phase=Phase.BAKE)),
        *reach(147.1, ends.ChecksPassed(suite=Suite.TARGET), 0.9, checks=9),
        (155, "engine", events.EngineStarted()),
        (168, "engine", events.GatePassed(gate="baked", facts={"way_back": "alive", "lag_seconds": 0.2})),
        *reach(168.1, ends.DataVerified(primary=Side.TARGET, epoch=1), 9.0, rows=193_377, differences=0),
        (178, "engine", events.PhaseEntered(phase=Phase.FINALIZE)),
        *reach(178.3, ends.WayBackEnded()),
        *reach(179.5, ends.ServersFinalized()),
        (183, "engine", events.MigrationEnded(outcome=Outcome.COMPLETED, reason="finalized")),
    ]
    return entries(sorted(script, key=lambda line: line[0]))


def rolled_back() -> tuple[Entry, ...]:
    """A slower canary, found by the judge at the second step."""
    reason = "The canary is slower than the baseline by more than 5 %: it takes 1.24 times as long"
    script = [
        *beginning(),
        *(line for line in climb() if line[0] < 66),
        look(67, 2, "hold", 9.2, "not enough evidence yet"),
        look(68.5, 2, "hold", 22.0, "not enough evidence yet"),
        look(70, 2, "abort", 47.3, reason),
        (70, "engine", events.RollbackDecided(cause="judge", reason=reason, facts={"share": 0.15, "e_value": 47.3})),
        *reach(70, ends.SharesAre(canary_percent=0), 0.1, measured_percent=0.0),
        *reach(70.3, ends.ServersReverted(), 3.0),
        *reach(73.5, ends.ReplicationRemoved(), 1.0),
        *reach(74.8, ends.ChecksPassed(suite=Suite.SOURCE), 1.0, checks=9),
        (
            76,
            "engine",
            events.MigrationEnded(outcome=Outcome.ROLLED_BACK, reason="everything that was built is undone"),
        ),
    ]
    return entries(sorted(script, key=lambda line: line[0]))


SHADOWED = replace(PLAN, mirror_percent=100.0, shadow=ShadowLimits(minimum_pairs=400, repeat=0.5))


def compared(second: float, verdict: Agreement, reason: str, **given: Any) -> tuple[float, str, Event]:
    """A look at answers of which 1 % is wrong, and a place that differs by itself."""
    reading = ShadowReading(
        boot=given.get("boot", "1"),
        pairs=1210,
        matched=1093,
        repeated=604,
        unanswered=3,
        control_unanswered=1,
        apart=2,
        refused_by_guard=4,
        refused_by_database=1,
        latency_ratio=1.031,
        latency_low=0.972,
        latency_high=1.094,
    )
    fields = (
        FieldJudged(path="body.balance", differ=12, noise=0, finding=FieldFinding.REGRESSION, e_value=131.4),
        FieldJudged(path="headers.x-served-by", differ=105, noise=53, finding=FieldFinding.NOISE, e_value=0.081),
    )
    look: dict[str, Any] = {"reading": reading, "threshold": 120.0, "fields": fields} | given
    look.pop("boot", None)
    return second, "engine", events.AnswersCompared(verdict=verdict, reason=reason, **look)


def shadowed(*looks: tuple[float, str, Event]) -> tuple[Entry, ...]:
    """Until the answers were compared; a regression rolls back."""
    planned, *rest = beginning()
    assert isinstance(planned[2], events.MigrationPlanned)
    script = [(0.0, "engine", events.MigrationPlanned(plan=SHADOWED)), *rest[:-1], *looks]
    reason = "of 1,210 pairs of answers the modern servers' differ: body.balance in 12"
    script += [
        (60, "engine", events.RollbackDecided(cause="shadow", reason=reason, facts={"field": "body.balance"})),
        *reach(60.1, ends.MirrorIs(percent=0.0), 0.1),
        (
            64,
            "engine",
            events.MigrationEnded(outcome=Outcome.ROLLED_BACK, reason="everything that was built is undone"),
        ),
    ]
    return entries(sorted(script, key=lambda line: line[0]))


def progress(story: tuple[Entry, ...], every: float = 0.5) -> tuple[Progress, ...]:
    """What was seen while `story` happened."""
    return tuple(_looks_at(story, every))


def _looks_at(story: tuple[Entry, ...], every: float) -> Iterator[Progress]:
    chance = random.Random(7)
    last = (story[-1].at - START).total_seconds()
    for number in range(int(last / every) + 1):
        second = number * every
        past = [entry for entry in story if entry.at <= START + timedelta(seconds=second)]
        yield _at(second, past, chance)


def _at(second: float, past: list[Entry], chance: random.Random) -> Progress:
    phase, share, course, looked = None, None, "forward", None
    writer, held, doing = Side.SOURCE, False, None
    for event in (entry.event for entry in past):
        match event:
            case events.PhaseEntered():
                phase = event.phase
            case events.EndWanted():
                doing = event.end.kind
            case events.EndReached():
                doing = None
                share = event.end.canary_percent if isinstance(event.end, ends.SharesAre) else share
                writer = event.end.side if isinstance(event.end, ends.WriterIs) else writer
            case events.Looked():
                looked = event
            case events.RollbackDecided():
                course = "rolling_back"
            case events.Held():
                held = True
            case events.Released():
                held = False
    replicating = second > 6 and course == "forward"
    loading = max(0.0, 1 - (second - 6) / 9)
    lag = 0.12 + 2.8 * loading + chance.random() * 0.2 + (0.9 if 60 < second < 61.5 else 0)
    now_share = 0.0 if share is None else share
    return Progress(
        at=START + timedelta(seconds=second),
        phase=phase,
        course=course,
        held=held,
        doing=doing,
        waiting=None if doing else "both arms run together for 8 s",
        canary_percent=now_share,
        baseline=_rates(300 * (1 - now_share / 100), 1.0, chance),
        canary=_rates(300 * now_share / 100, 1.02, chance),
        lag=timedelta(seconds=lag) if replicating else None,
        lag_bytes=int(lag * 300_000) if replicating else None,
        retained_wal_bytes=int(lag * 1_000_000) if replicating else None,
        writer=writer,
        way_back_proven=second > 147 if replicating else None,
        files_pending=max(0, int(2400 - 300 * (second - 22))) if second > 22 else None,
        verdict=looked.verdict if looked else None,
        reason=looked.reason if looked else None,
        e_value=looked.e_value if looked else None,
        time_left=timedelta(seconds=max(0.0, 183 - second)),
    )


def _rates(per_second: float, factor: float, chance: random.Random) -> ArmRates | None:
    if per_second == 0:
        return None
    wobble = 1 + chance.gauss(0, 0.6 / math.sqrt(per_second))
    return ArmRates(
        requests_per_second=per_second, error_rate=0.0, p50_ms=13.1 * factor * wobble, p95_ms=32.4 * factor * wobble
    )


def seconds(story: tuple[Entry, ...], slower: float = 1.02) -> tuple[ArmSecond, ...]:
    """What each arm served in each second."""
    chance = random.Random(11)
    found: list[ArmSecond] = []
    for before, now in pairwise(progress(story, 1.0)):
        share = (now.canary_percent or 0) / 100
        arms: list[tuple[Literal["baseline", "canary"], float, float]] = [
            ("baseline", 300 * (1 - share), 1.0),
            ("canary", 300 * share, slower),
        ]
        for arm, per_second, factor in arms:
            if per_second >= 1:
                rates = _rates(per_second, factor, chance)
                assert rates is not None
                errors = int(chance.random() < 0.01)
                found.append(
                    ArmSecond(
                        at=before.at,
                        arm=arm,
                        requests=round(per_second),
                        errors=errors,
                        p50_ms=rates.p50_ms,
                        p95_ms=rates.p95_ms,
                    )
                )
    return tuple(found)


def window(to: Side = Side.TARGET, second: float = CUTOVER) -> WriteWindow:
    """One switch: some 150 writes a second before and after, none in between."""
    chance = random.Random(5)
    quiet = range(20, 25)
    counts = [0 if i in quiet else max(0, round(chance.gauss(1.5, 0.9))) for i in range(50)]
    counts[25] = 6  # those that waited
    moments = (("fenced", 9.0), ("drained", 17.5), ("opened", 41.3), ("way back awake", 190.0))
    return WriteWindow(
        to=to,
        started=START + timedelta(seconds=second),
        moments=tuple((name, timedelta(milliseconds=ms)) for name, ms in moments),
        acknowledged=tuple(counts),
        before=timedelta(milliseconds=200),
    )


RESULT: dict[str, object] = {
    "outcome": "completed",
    "final_primary": "target",
    "requests": 54_812,
    "failed_requests": 0,
    "acknowledged_writes": 27_377,
    "lost_writes": 0,
    "duplicate_writes": 0,
    "write_unavailable_ms": [41.3],
    "detection_requests": None,
    "rollback_ms": None,
    "verified_rows": 193_377,
    "differing_rows": 0,
    "resumes": 1,
    "seconds": 183.4,
    "report": "report.html",
    "journal": "journal.sqlite",
}
