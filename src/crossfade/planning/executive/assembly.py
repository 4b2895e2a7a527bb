"""The report from the joined plan and what stands beside it: records of decisions, and prices of AWS. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.model.file.tree import Tree
from crossfade.planning.decisions.record import Record
from crossfade.planning.executive.approach import approach_of
from crossfade.planning.executive.brief import Approach, Brief, WaveRow
from crossfade.planning.executive.budget import Budget
from crossfade.planning.executive.budgeting import Budgeting
from crossfade.planning.executive.moving import wave_rows
from crossfade.planning.executive.phases import broad_phases
from crossfade.planning.executive.prices import PriceList
from crossfade.planning.executive.span import whole_span
from crossfade.planning.executive.traced import Figure, Sources, Traces
from crossfade.planning.executive.work import work_of
from crossfade.planning.plan import MigrationPlan
from crossfade.planning.risks.heatmap import as_svg as heat_map
from crossfade.planning.schedule.gantt import as_svg as gantt


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What stands beside the plan. `tree` is the migration file's text, for lines."""

    tree: Tree | None = None
    records: tuple[Record, ...] = ()
    prices: PriceList | None = None


def assemble(plan: MigrationPlan, given: Given = Given()) -> Brief:
    """The whole report; the same input gives the same one."""
    traces = Traces()
    sources = Sources(file=plan.file, name=plan.file_name, tree=given.tree)
    approach = approach_of(sources, given.records, traces)
    waves = wave_rows(plan, traces)
    work = work_of(plan, sources, traces)
    span = whole_span(plan.schedule)
    budget = Budgeting(traces, sources, span, given.prices).of(work, plan.risks)
    phases = broad_phases(plan, sources, traces)
    tiles = tuple(_tiles(plan, waves, budget, traces))
    return Brief(
        plan=plan,
        headline=_headline(plan, waves),
        tiles=tiles,
        asks=tuple(_asks(plan, approach, budget)),
        approach=approach,
        waves=waves,
        phases=phases,
        budget=budget,
        work=work,
        roles=dict(sorted(plan.file.planning.contacts.items())),
        gantt=_gantt(plan),
        heat_map=heat_map(plan.risks, styled=False),
        figures=traces.figures,
    )


def _gantt(plan: MigrationPlan) -> str:
    if not plan.schedule.waves:
        return ""
    return gantt(plan.schedule, title=f"Schedule of {plan.name}", deadline=plan.deadline, styled=False)


def _headline(plan: MigrationPlan, waves: tuple[WaveRow, ...]) -> str:
    if not waves:
        return "Nothing is planned: no application has a wave."
    servers = sum(row.wave.servers for row in waves)
    by = f", to be out by {plan.deadline}" if plan.deadline else ""
    days = [str(row.wave.day) for row in waves]
    when = f"on {days[0]}" if len(days) == 1 else f"in {len(waves)} waves, from {days[0]} to {days[-1]}"
    return f"{servers:,} servers move to AWS {when}{by}."


def _tiles(plan: MigrationPlan, waves: tuple[WaveRow, ...], budget: Budget, traces: Traces) -> Iterator[Figure]:
    sources = plan.sources or ((plan.file_name,) if plan.file_name else ())
    counted = " + ".join(row.servers.shown for row in waves) or "no wave"
    servers = sum(row.wave.servers for row in waves)
    yield traces.add("servers", "servers that move", f"{servers:,}", counted, sources)
    of = "named by the sources, or found in them"
    yield traces.add("applications", "applications that move", f"{len(plan.applications):,}", of, sources)
    scheduled_end, deadline = plan.schedule.ends, plan.deadline
    if scheduled_end is None:
        yield traces.missing("last-day", "last day", "no wave could be laid out")
    else:
        late = "" if deadline is None else f"; the deadline is {deadline}"
        computed = f"the end of the last phase, for as long as nine of ten trials take{late}"
        yield traces.add("last-day", "last day", f"{scheduled_end:%Y-%m-%d}", computed)
    yield budget.total
    total = plan.risks.overall()
    said = f"the sum of {total.count} open risks; {total.score:g} without the mitigations in the plan"
    yield traces.add("risk-score", "risk that is left", f"{total.residual:g}", said, ["the risk register, below"])
    kinds = ", ".join(unknown.about for unknown in plan.unknowns) or "none"
    yield traces.add("unknowns", "kinds of things nobody knows", f"{len(plan.unknowns):,}", kinds, sources)


def _asks(plan: MigrationPlan, approach: Approach, budget: Budget) -> Iterator[str]:
    """What only a committee can do about it."""
    if approach.sentence.startswith("Proposed"):
        yield "Decide on the approach; nobody has accepted a record of it yet."
    if budget.lacks:
        several = f" and {len(budget.lacks) - 3} more" if len(budget.lacks) > 3 else ""
        yield f"Have the budget completed: it lacks {', '.join(budget.lacks[:3])}{several}."
    for remark in plan.schedule.remarks[:3]:
        where = f"Wave {remark.wave}: " if remark.wave else ""
        yield f"{where}{remark.says}. Remedy: {remark.remedy}."
    for unknown in plan.unknowns[:3]:
        yield f"Have it found out: {unknown.about}, for {unknown.count:,} of {unknown.of:,}. Remedy: {unknown.remedy}."
    unowned = sum(risk.owner_assumed for risk in plan.risks.open)
    if unowned:
        yield f"Name an owner for {unowned} of {len(plan.risks.open)} open risks."
