"""How what is planned becomes a page: templates of a package, with what all pages share."""

from collections.abc import Callable
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from crossfade.planning.markdown import one_line


def pages_of(package: str, *, escaped: bool, finalize: Callable[..., Any] | None = None) -> Environment:
    """The templates of `package`, and those of `crossfade.report`; a name that is not given is an error.

    `escaped` for HTML. Markdown is not: there each text goes through the filter `cell`. `finalize` sees each value.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("crossfade.report")]),
        autoescape=escaped,  # noqa: S701  # Markdown is no HTML: there each text goes through `one_line`
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = one_line
    return environment
