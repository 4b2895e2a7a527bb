"""Playbooks for people: Markdown to keep beside the system, or one HTML page that stands for itself."""

import re

from crossfade.model.terms import Outcome
from crossfade.planning.playbooks.assembly import stage_name
from crossfade.planning.playbooks.records import Component, Playbooks
from crossfade.planning.playbooks.retreats import Way
from crossfade.planning.templating import pages_of
from crossfade.report.telling import OUTCOMES


def as_html(playbooks: Playbooks) -> str:
    """No request leaves the page, and no script runs in it. The same playbooks give the same bytes."""
    return _rendered("playbooks.html.j2", playbooks, escaped=True)


def as_markdown(playbooks: Playbooks) -> str:
    """The same in Markdown."""
    return _rendered("playbooks.md.j2", playbooks, escaped=False)


def _rendered(template: str, playbooks: Playbooks, *, escaped: bool) -> str:
    environment = pages_of("crossfade.planning.playbooks", escaped=escaped)
    environment.filters["stage"] = stage_name
    environment.filters["anchor"] = _anchor
    return environment.get_template(template).render(
        playbooks=playbooks,
        components=[(one, playbooks.of(one)) for one in Component if playbooks.of(one)],
        no_way=Way.NONE,
        ends={outcome: OUTCOMES[outcome].lower() for outcome in Outcome},
    )


def _anchor(heading: str) -> str:
    """Where a link to a heading leads, as the usual renderers of Markdown make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
