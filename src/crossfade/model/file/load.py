"""A migration file's text, read and judged: the file, or every fault of it at once."""

import json
from copy import deepcopy
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from crossfade.model.file import rules
from crossfade.model.file.document import MigrationFile
from crossfade.model.file.explain import explain, path_in_file
from crossfade.model.file.fault import Fault
from crossfade.model.file.tree import Path, Tree, read_tree

_SOUND: dict[str, Any] = {
    "version": 1,
    "migration": {"name": "sound", "owner": "sound"},
    "environment": {"suffix": "sound"},
    "source": {"cidr": "192.168.0.0/16"},
    "servers": {"count": 1},
    "database": {"name": "sound", "size": "1GB", "application_roles": ["sound"]},
}
"""A value for whatever a file must have: stands in for a faulty one while the rules look at the rest."""


def load(text: str, name: str) -> MigrationFile | tuple[Fault, ...]:
    """The file that `text` describes, or all its faults, ordered by place. Raises nothing for any text.

    `name` is what people call the file; it appears only in faults of the file as a whole.
    """
    tree = read_tree(text, name)
    if tree.data is None and tree.faults:
        return tuple(tree.faults)
    file, errors = _validate(tree.data)
    broken = set(tree.broken)
    for error in errors:
        path = path_in_file(error["loc"])
        if not _within(path, tree.broken):
            tree.add(path, *explain(error, path, tree))
        broken.add(path)
    if file is None:
        file = _mend(tree.data, errors, broken)
    if file is not None:
        _apply_rules(file, tree, broken)
    return file if file is not None and not tree.faults else tuple(sorted(tree.faults))


def _validate(data: Any) -> tuple[MigrationFile | None, list[ErrorDetails]]:
    # Through JSON, because there strict pydantic reads lists as tuples and texts as enums and dates.
    try:
        return MigrationFile.model_validate_json(json.dumps(data)), []
    except ValidationError as exc:
        return None, exc.errors(include_url=False)


def _apply_rules(file: MigrationFile, tree: Tree, broken: set[Path]) -> None:
    """A finding counts only when all that it looked at was really said by the file."""
    for finding in rules.findings(file):
        if not any(_within(place, broken) for place in finding.places):
            tree.add(finding.places[0], finding.problem, finding.remedy)


def _within(path: Path, broken: set[Path]) -> bool:
    return any(path[: len(part)] == part for part in broken)


def _mend(data: Any, errors: list[ErrorDetails], broken: set[Path]) -> MigrationFile | None:
    """The file with its faulty values left out or replaced by sound ones, each noted in `broken`.

    None when nothing of it can be understood.
    """
    if not isinstance(data, dict):
        return None
    data = deepcopy(data)
    for _ in range(8):  # leaving out a value may leave its section without one that it needs, and so on outward
        for error in errors:
            broken.add(_leave_out(data, path_in_file(error["loc"]), missing=error["type"] == "missing"))
        file, errors = _validate(data)
        if file is not None:
            return file
    return None


def _leave_out(data: Any, path: Path, *, missing: bool) -> Path:
    """Removes the value at `path`, or fills it in; returns the path of what is no longer the file's own word.

    An entry of a list goes with the whole list, so that the places of the others stay true.
    """
    sound = _sound_value(path)
    if missing and sound is None:
        path = path[:-1]
    ints = [i for i, part in enumerate(path) if isinstance(part, int)]
    if ints and (missing or isinstance(path[-1], int)):
        path = path[: ints[-1]]
    parent = data
    for part in path[:-1]:
        try:
            parent = parent[part]
        except (KeyError, IndexError, TypeError):
            return path
    if isinstance(parent, dict) and path:
        parent.pop(path[-1], None)
        if sound is not None:
            parent[path[-1]] = deepcopy(sound)
    return path


def _sound_value(path: Path) -> Any:
    value: Any = _SOUND
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
