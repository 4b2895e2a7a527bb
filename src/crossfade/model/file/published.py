"""The JSON Schema of the migration file, for editors and for other programs."""

from collections.abc import Iterator
from typing import Any

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.section import Section
from crossfade.model.file.shape import section_of

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema, with every default as it would be written in the file. What only rules can tell is not in it."""
    schema = MigrationFile.model_json_schema()
    definitions = schema["$defs"] | {MigrationFile.__name__: schema}
    for section in sections(MigrationFile):
        defaults = section.model_construct().model_dump(mode="json", warnings=False)
        for name, described in definitions[section.__name__]["properties"].items():
            described.pop("title", None)
            if section_of(section.model_fields[name].annotation) and not isinstance(defaults.get(name), list):
                described.pop("default", None)  # the defaults stand with the section itself
            elif name in defaults:
                described["default"] = defaults[name]
    return {"$schema": _DIALECT} | schema | {"title": "Crossfade migration file"}


def sections(root: type[Section]) -> Iterator[type[Section]]:
    """`root` and every section below it, each once, from the outside inward."""
    seen: dict[type[Section], None] = {root: None}
    waiting = [root]
    while waiting:
        for field in waiting.pop(0).model_fields.values():
            inner = section_of(field.annotation)
            if inner and inner not in seen:
                seen[inner] = None
                waiting.append(inner)
    yield from seen
