"""The register as a page for people: one HTML file that stands for itself, or Markdown."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from crossfade.planning.markdown import one_line
from crossfade.planning.risks.heatmap import STYLE, as_svg
from crossfade.planning.risks.rating import IMPACTS
from crossfade.planning.risks.register import Origin, Register

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
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("crossfade.planning.risks"), PackageLoader("crossfade.report")]),
        autoescape=escaped,  # noqa: S701  # Markdown is no HTML: there each text goes through `one_line`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = one_line
    return environment.get_template(template).render(
        register=register,
        total=register.overall(),
        sums=(*register.by_category(), register.overall()),
        impacts=IMPACTS,
        origins=_ORIGINS,
        map=as_svg(register, styled=False),
        style=STYLE,
    )
