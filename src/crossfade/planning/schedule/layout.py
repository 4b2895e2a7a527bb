"""Waves laid out backwards: the window first, what has to be done before it ends before it, copies one after another.

The link is one resource and each wave's copy has a day by which it must be there, so the last wave is placed first and
each copy as late as it may be. Source: backward scheduling; Jackson, Scheduling a Production Line to Minimize Maximum
Tardiness, 1955, for the order by due date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from crossfade.model.file import MigrationFile
from crossfade.model.terms import Phase
from crossfade.planning.schedule.amounts import Amounts, Load, Terms, terms_of
from crossfade.planning.schedule.assumed import SEED, TRIALS, Floats, assumptions, draws
from crossfade.planning.schedule.durations import Trials, estimate
from crossfade.planning.schedule.openings import Openings
from crossfade.planning.schedule.records import Estimate, Opening, Schedule, Stage, WaveSchedule
from crossfade.planning.schedule.remarks import remarks
from crossfade.planning.schedule.saying import says

_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dated:
    """What of a wave hangs on its window alone. `due`: when everything must be copied."""

    load: Load
    opening: Opening | None
    opens: datetime
    phases: dict[Phase, Estimate]
    in_window: Estimate
    due: datetime
    cutover_ends: datetime


def schedule_of(loads: Sequence[Load], file: MigrationFile, start: date) -> Schedule:
    """The schedule of waves in order of their days. `start`: the first day of the migration, copying included.

    Deterministic. Raises TimeZoneUnknown.
    """
    terms, openings = terms_of(file), Openings.of(file.planning)
    assumed = assumptions(terms)
    trials = Trials(terms, draws(assumed))
    dated = [_dated(load, trials, openings) for load in loads]
    copies = _copies(dated, trials)
    waves = tuple(
        _wave(each, copy, trials, openings, openings.at(start)) for each, copy in zip(dated, copies, strict=True)
    )
    return Schedule(
        waves=waves,
        remarks=remarks(waves, [load.amounts for load in loads], openings, start, file.planning.deadline),
        assumed=assumed,
        time_zone=file.planning.time_zone,
        link_name=terms.link_name,
        link_bits_s=terms.link_bits_s,
        seed=SEED,
        trials=TRIALS,
    )


def leads(amounts: Mapping[str, Amounts], terms: Terms) -> dict[str, timedelta]:
    """By name, how long before its window a move begins when each phase takes as in nine of ten trials and
    it is alone on the link.

    What is never copied is not in it.
    """
    trials = Trials(terms, draws(assumptions(terms)))
    fixed = sum((_p90(estimate(trials.phase(each, Amounts()))) for each in (Phase.PREPARE, Phase.SHADOW)), _NOTHING)
    found = {}
    for name, amount in amounts.items():
        copied = estimate(trials.copying(amount)).p90
        if copied is not None:
            found[name] = fixed + copied + _p90(estimate(trials.phase(Phase.VALIDATE, amount)))
    return found


def _dated(load: Load, trials: Trials, openings: Openings) -> _Dated:
    amounts = load.amounts
    seconds = {phase: trials.phase(phase, amounts) for phase in Phase}
    phases = {phase: estimate(each) for phase, each in seconds.items()}
    opening = openings.on(load.day)
    opens = opening.opens if opening else openings.at(load.day)
    in_window = estimate(seconds[Phase.CANARY] + seconds[Phase.CUTOVER])
    before = _p90(phases[Phase.VALIDATE]) + _p90(phases[Phase.SHADOW])
    return _Dated(
        load=load,
        opening=opening,
        opens=opens,
        phases=phases,
        in_window=in_window,
        due=opens - before,
        cutover_ends=opens + _p90(in_window),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """`begins` None: it never ends in too many trials, so nobody can say when to begin."""

    estimate: Estimate
    begins: datetime | None


def _copies(dated: Sequence[_Dated], trials: Trials) -> list[_Copy]:
    """When each wave's copy begins, so that copies follow one another and each is there when it is due."""
    copies: list[_Copy] = []
    changes = [trials.changes(each.load.amounts) for each in dated]
    free_until: datetime | None = None
    for place in range(len(dated) - 1, -1, -1):
        ends = dated[place].due if free_until is None else min(dated[place].due, free_until)
        copy = _copy(dated, changes, trials, place, ends)
        free_until = copy.begins or free_until
        copies.append(copy)
    return copies[::-1]


def _copy(dated: Sequence[_Dated], changes: Sequence[Floats], trials: Trials, place: int, ends: datetime) -> _Copy:
    """Changes of earlier waves cross the link until their cutover; the earlier this begins, the more of them do."""
    beside: set[int] = set()
    begins: datetime | None = ends
    while True:
        standing = sum((changes[other] for other in sorted(beside)), trials.waited(_NOTHING))
        found = estimate(trials.copying(dated[place].load.amounts, standing))
        begins = None if found.p90 is None else ends - found.p90
        now = {other for other in range(place) if begins is None or dated[other].cutover_ends > begins}
        if begins is None or now <= beside:
            return _Copy(estimate=found, begins=begins)
        beside |= now


def _wave(dated: _Dated, copy: _Copy, trials: Trials, openings: Openings, start: datetime) -> WaveSchedule:
    load, phases = dated.load, dated.phases
    stages: list[Stage] = []

    def add(phase: Phase, begins: datetime, ends: datetime, took: Estimate) -> None:
        stages.append(Stage(phase=phase, begins=begins, ends=ends, estimate=took, says=says(phase, took)))

    # what is never copied in too many trials begins as early as it may: there is no day that would be early enough
    as_early = min(start + _p90(phases[Phase.PREPARE]), dated.due)
    copies_from = copy.begins if copy.begins is not None else as_early
    add(Phase.PREPARE, copies_from - _p90(phases[Phase.PREPARE]), copies_from, phases[Phase.PREPARE])
    add(Phase.REPLICATE, copies_from, dated.due, copy.estimate)
    validated = dated.due + _p90(phases[Phase.VALIDATE])
    add(Phase.VALIDATE, dated.due, validated, phases[Phase.VALIDATE])
    if trials.terms.runbook.mirror_percent:
        add(Phase.SHADOW, validated, dated.opens, phases[Phase.SHADOW])
    shifted = dated.opens + _p90(phases[Phase.CANARY])
    add(Phase.CANARY, dated.opens, shifted, phases[Phase.CANARY])
    add(Phase.CUTOVER, shifted, dated.cutover_ends, phases[Phase.CUTOVER])
    baked = dated.cutover_ends + _p90(phases[Phase.BAKE])
    add(Phase.BAKE, dated.cutover_ends, baked, phases[Phase.BAKE])
    final = openings.next_from(baked)
    add(Phase.FINALIZE, final, final + _p90(phases[Phase.FINALIZE]), phases[Phase.FINALIZE])
    tables, files, servers = trials.sizes(load.amounts)
    return WaveSchedule(
        wave=load.wave,
        day=load.day,
        applications=load.applications,
        servers=load.amounts.servers,
        size_bytes=round(float(np.median(tables + files + servers))),
        changes_bytes_s=float(np.median(trials.changes(load.amounts))),
        window=dated.opening,
        copying=copy.estimate,
        in_window=dated.in_window,
        stages=tuple(stages),
    )


def _p90(found: Estimate) -> timedelta:
    """What is planned with. Only copying may never end, and it is not asked for here."""
    return found.p90 or _NOTHING
