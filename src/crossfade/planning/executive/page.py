"""The report as one HTML file that stands for itself, and as Markdown. The same brief gives the same bytes."""

from crossfade.planning.executive.brief import Brief
from crossfade.planning.executive.work import in_words
from crossfade.planning.risks.heatmap import STYLE as HEAT_STYLE
from crossfade.planning.schedule.gantt import STYLE as GANTT_STYLE
from crossfade.planning.templating import pages_of


def as_html(brief: Brief) -> str:
    """No request leaves the page, and no script runs in it; each number leads to where it comes from."""
    return _rendered("executive.html.j2", brief, escaped=True)


def as_markdown(brief: Brief) -> str:
    """The same without pictures, with the same links."""
    return _rendered("executive.md.j2", brief, escaped=False)


def _rendered(template: str, brief: Brief, *, escaped: bool) -> str:
    environment = pages_of("crossfade.planning.executive", escaped=escaped)
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
