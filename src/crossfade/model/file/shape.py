"""Which names the schema knows at a place."""

from types import UnionType
from typing import Any, Union, get_args, get_origin

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.section import Section
from crossfade.model.file.tree import Path


def names_at(path: Path, root: type[Section] = MigrationFile) -> tuple[str, ...]:
    """The keys that the section at `path` below `root` may have; none when it is no section."""
    section = section_at(path, root)
    return tuple(section.model_fields) if section else ()


def section_at(path: Path, root: type[Section] = MigrationFile) -> type[Section] | None:
    """The section that stands at `path` below `root`, if one does."""
    annotation: Any = root
    for part in path:
        section = section_of(annotation)
        if isinstance(part, int):
            continue  # the element type was found with the list
        if section is None or part not in section.model_fields:
            return None
        annotation = section.model_fields[part].annotation
    return section_of(annotation)


def section_of(annotation: Any) -> type[Section] | None:
    """The section inside an annotation: itself, an optional one, or that of a list's elements."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    if get_origin(annotation) in {tuple, Union, UnionType}:
        return next((found for inner in get_args(annotation) if (found := section_of(inner))), None)
    return None
