"""Who is needed, in which waves and for how many days."""

from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.planning.executive.span import span_of
from crossfade.planning.executive.traced import Figure, Sources, Traces
from crossfade.planning.plan import MigrationPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One team. `days` None: it is not known, and the figure says why. `number` is its place in the file, from 0.

    `waves` are those in which it moves servers; without any it is there for all of them.
    """

    number: int
    name: str
    people: int
    daily_rate: float
    waves: tuple[int, ...]
    days: int | None
    days_told: bool
    days_figure: Figure
    places: tuple[str, ...]


def work_of(plan: MigrationPlan, sources: Sources, traces: Traces) -> tuple[Work, ...]:
    """Of every team of the migration file, in its order."""
    return tuple(_teams(plan, sources, traces))


def _teams(plan: MigrationPlan, sources: Sources, traces: Traces) -> Iterator[Work]:
    for number, team in enumerate(plan.file.planning.teams):
        path = f"planning.teams[{number}]"
        mine = tuple(wave.number for wave in plan.waves.waves if wave.teams.get(team.name))
        scheduled = tuple(each for each in plan.schedule.waves if not mine or each.wave in mine)
        span, key, says = span_of(scheduled), f"days-{number}", f"days of {team.name}"
        which = in_words(mine)
        if team.days is not None:
            days: int | None = team.days
            figure = traces.add(key, says, f"{team.days:,}", "as told", [sources.place(f"{path}.days")])
        elif span is not None:
            days = span.working_days
            computed = f"Monday to Friday from {span.first} to {span.last}: {which}"
            figure = traces.add(key, says, f"{days:,}", computed, [sources.near(path)])
        else:
            days = None
            figure = traces.missing(key, says, "no wave is planned, and planning.teams tells no days")
        yield Work(
            number=number,
            name=team.name,
            people=team.people,
            daily_rate=team.daily_rate,
            waves=mine,
            days=days,
            days_told=team.days is not None,
            days_figure=figure,
            places=(sources.place(f"{path}.people"), sources.place(f"{path}.daily_rate")),
        )


def in_words(waves: tuple[int, ...]) -> str:
    """`wave 1`, `waves 1, 2`; `all waves` for none."""
    if not waves:
        return "all waves"
    return f"{'wave' if len(waves) == 1 else 'waves'} {', '.join(map(str, waves))}"
