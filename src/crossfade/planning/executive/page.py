"""The report as one HTML file that stands for itself, and as Markdown. The same brief gives the same bytes."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from crossfade.planning.executive.brief import Brief
from crossfade.planning.executive.work import in_words
from crossfade.planning.markdown import one_line
from crossfade.planning.risks.heatmap import STYLE as HEAT_STYLE
from crossfade.planning.schedule.gantt import STYLE as GANTT_STYLE


def as_html(brief: Brief) -> str:
    """No request leaves the page, and no script runs in it; each number leads to where it comes from."""
    return _rendered("executive.html.j2", brief, escaped=True)


def as_markdown(brief: Brief) -> str:
    """The same without pictures, with the same links."""
    return _rendered("executive.md.j2", brief, escaped=False)


def _rendered(template: str, brief: Brief, *, escaped: bool) -> str:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("crossfade.planning.executive"), PackageLoader("crossfade.report")]),
        autoescape=escaped,  # noqa: S701  # Markdown is no HTML: there each text goes through `one_line`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = one_line
    plan = brief.plan
    return environment.get_template(template).render(
        brief=brief,
        plan=plan,
        risks=plan.risks,
        total_risk=plan.risks.overall(),
        work_in_words=in_words,
        heat_style=HEAT_STYLE,
        gantt_style=GANTT_STYLE,
    )
