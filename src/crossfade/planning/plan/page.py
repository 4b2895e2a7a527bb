"""The plan as a page for people: one HTML file that stands for itself, or Markdown."""

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from crossfade.planning.plan.records import MigrationPlan
from crossfade.planning.plan.told_waves import REMEDY
from crossfade.planning.readiness import Readiness
from crossfade.planning.schedule.gantt import STYLE
from crossfade.planning.schedule.gantt import as_svg as gantt
from crossfade.planning.schedule.records import Assumed
from crossfade.planning.schedule.saying import in_words
from crossfade.planning.templating import pages_of
from crossfade.report.units import say_bytes, say_count, say_duration

_SHOWN = 12
"""Names in a cell; plan.json has all."""


def as_html(plan: MigrationPlan) -> str:
    """No request leaves the page, and no script runs in it. The same plan gives the same bytes."""
    return _rendered("plan.html.j2", plan, escaped=True)


def as_markdown(plan: MigrationPlan) -> str:
    """The same in Markdown; the chart is the file beside it."""
    return _rendered("plan.md.j2", plan, escaped=False)


def _rendered(template: str, plan: MigrationPlan, *, escaped: bool) -> str:
    environment = pages_of("crossfade.planning.plan", escaped=escaped, finalize=_seen)
    environment.filters["bytes"] = say_bytes
    environment.filters["count"] = say_count
    environment.filters["lasts"] = in_words
    environment.filters["span"] = say_duration
    environment.filters["some"] = _some
    environment.filters["range"] = _range
    readiness: Mapping[str, Readiness] = {each.application: each for each in plan.readiness}
    return environment.get_template(template).render(
        plan=plan,
        zone=ZoneInfo(plan.schedule.time_zone),
        readiness=readiness,
        told_remedy=REMEDY,
        chart=gantt(plan.schedule, title=f"Schedule of {plan.name}", deadline=plan.deadline, styled=False),
        chart_style=STYLE,
    )


def _seen(value: object) -> object:
    """Texts of other people's without letters that nobody sees; what is ours, Markup and numbers, as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "".join(letter if letter.isprintable() or letter == "\n" else "·" for letter in value)
    return value


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _range(assumed: Assumed) -> str:
    """`0.3 to 0.7, likely 0.5 of the link`; bytes and seconds in units that people read."""
    numbers = (assumed.least, assumed.most, assumed.likely)
    if assumed.unit == "seconds":
        least, most, likely = (say_duration(timedelta(seconds=each)) for each in numbers)
        return f"{least} to {most}, likely {likely}"
    if assumed.unit.startswith("bytes"):
        least, most, likely = (say_bytes(each) for each in numbers)
        return f"{least} to {most}, likely {likely}{assumed.unit.removeprefix('bytes')}"
    least, most, likely = (f"{each:g}" for each in numbers)
    return f"{least} to {most}, likely {likely} {assumed.unit}"
