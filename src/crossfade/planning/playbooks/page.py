"""Playbooks for people: Markdown to keep beside the system, or one HTML page that stands for itself."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from crossfade.model.terms import Outcome
from crossfade.planning.markdown import one_line
from crossfade.planning.playbooks.assembly import stage_name
from crossfade.planning.playbooks.records import Component, Playbooks
from crossfade.planning.playbooks.retreats import Way
from crossfade.report.telling import OUTCOMES


def as_html(playbooks: Playbooks) -> str:
    """No request leaves the page, and no script runs in it. The same playbooks give the same bytes."""
    return _rendered("playbooks.html.j2", playbooks, escaped=True)


def as_markdown(playbooks: Playbooks) -> str:
    """The same in Markdown."""
    return _rendered("playbooks.md.j2", playbooks, escaped=False)


def _rendered(template: str, playbooks: Playbooks, *, escaped: bool) -> str:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("crossfade.planning.playbooks"), PackageLoader("crossfade.report")]),
        autoescape=escaped,  # noqa: S701  # Markdown is no HTML: there each text goes through `one_line`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = one_line
    environment.filters["stage"] = stage_name
    return environment.get_template(template).render(
        playbooks=playbooks,
        components=[(one, playbooks.of(one)) for one in Component if playbooks.of(one)],
        no_way=Way.NONE,
        ends={outcome: OUTCOMES[outcome].lower() for outcome in Outcome},
    )
