"""The executive report: what a steering committee reads, and where each of its numbers comes from. Pure."""

from crossfade.planning.executive.assembly import Given, assemble
from crossfade.planning.executive.brief import Brief
from crossfade.planning.executive.page import as_html, as_markdown

__all__ = ["Brief", "Given", "as_html", "as_markdown", "assemble"]
