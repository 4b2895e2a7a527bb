"""The dependency map: applications, shared services and the world outside, as page, as SVG and as Mermaid."""

from crossfade.planning.dependency_map.mermaid import as_mermaid
from crossfade.planning.dependency_map.page import as_page
from crossfade.planning.dependency_map.picture import Picture, picture_of
from crossfade.planning.dependency_map.svg import as_svg

__all__ = ["Picture", "as_mermaid", "as_page", "as_svg", "picture_of"]
