"""Keys of the migration file by their paths: do they exist, what do they say, and in which line."""

import re

from crossfade.model.errors import CrossfadeError
from crossfade.model.file import MigrationFile
from crossfade.model.file.section import Section
from crossfade.model.file.tree import Path, Tree

_PART = re.compile(r"(?:^|\.)(?P<name>\w+)|\[(?P<place>\d{1,9})\]")


class NoSuchKey(CrossfadeError):
    """The migration file has no key at this path."""

    remedy = "Write a path as docs/migration-file.md has it, such as limits.max_p95."

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"the migration file has no key {path}")


def parts_of(path: str) -> Path:
    """`approvals[0].count` taken apart. Raises `NoSuchKey` for a text that is no path."""
    found = list(_PART.finditer(path))
    if not path or "".join(match[0] for match in found) != path:
        raise NoSuchKey(path)
    return tuple(match["name"] or int(match["place"]) for match in found)


def value_at(file: MigrationFile, path: str) -> str:
    """What the file says there, or by default, as it would be written; `none` where it says nothing.

    Raises `NoSuchKey`, also for a whole section, which is no limit.
    """
    value: object = file
    for part in parts_of(path):
        if isinstance(part, int):
            if not isinstance(value, tuple) or part >= len(value):
                raise NoSuchKey(path)
            value = value[part]
        elif isinstance(value, Section) and part in type(value).model_fields:
            section, value = value, getattr(value, part)
            written = section.model_dump(mode="json", include={part})[part]
        else:
            raise NoSuchKey(path)
    if isinstance(value, Section):
        raise NoSuchKey(path)
    return "none" if written in (None, "", [], {}) else _said(written)


def _said(written: object) -> str:
    match written:
        case bool():
            return str(written).lower()
        case float():
            return f"{written:g}"
        case list() | dict():
            return f"{len(written)} entries"
        case _:
            return str(written)


def place_of(tree: Tree, name: str, path: str) -> str:
    """`migration.yaml:61 database.size`; with words where the file leaves it to the default. `name` is the file's."""
    if (at := tree.places.get(parts_of(path))) is not None:
        return f"{name}:{at.line} {path}"
    return f"{name} {path} (left to the default)"
