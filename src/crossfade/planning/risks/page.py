"""The register as a page for people: one HTML file that stands for itself, or Markdown."""

from crossfade.planning.risks.heatmap import STYLE, as_svg
from crossfade.planning.risks.rating import IMPACTS
from crossfade.planning.risks.register import Origin, Register
from crossfade.planning.templating import pages_of

_ORIGINS = {
    Origin.FOUND: "found",
    Origin.COMMON: "common: nothing that was read shows it",
    Origin.TOLD: "told by people",
}


def as_html(register: Register) -> str:
    """No request leaves the page, and no script runs in it. The same register gives the same bytes."""
    return _rendered("risks.html.j2", register, escaped=True)


def as_markdown(register: Register) -> str:
    """The same in Markdown, without the map's colours."""
    return _rendered("risks.md.j2", register, escaped=False)


def _rendered(template: str, register: Register, *, escaped: bool) -> str:
    environment = pages_of("crossfade.planning.risks", escaped=escaped)
    return environment.get_template(template).render(
        register=register,
        total=register.overall(),
        sums=(*register.by_category(), register.overall()),
        impacts=IMPACTS,
        origins=_ORIGINS,
        map=as_svg(register, styled=False),
        style=STYLE,
    )
