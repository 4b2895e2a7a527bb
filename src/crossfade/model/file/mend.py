"""A faulty file made whole for the rules, so that what is wrong in one place hides nothing in another."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import ErrorDetails

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.explain import path_in_file
from crossfade.model.file.tree import Path
from crossfade.model.file.validate import validate

_SOUND: dict[str, Any] = {
    "version": 1,
    "migration": {"name": "sound", "owner": "sound"},
    "environment": {"suffix": "sound"},
    "source": {"cidr": "192.168.0.0/16"},
    "servers": {"count": 1},
    "database": {"name": "sound", "size": "1GB", "application_roles": ["sound"]},
}
"""A value for whatever a file must have: stands in for a faulty or missing one."""

_ROUNDS = 8
_DROPPED = object()


@dataclass(slots=True, kw_only=True)
class Mended:
    """The whole file, and what of it is not the file's own word."""

    file: MigrationFile | None = None
    broken: set[Path] = field(default_factory=set)
    """Paths whose value was left out or replaced, with all below them."""
    shortened: set[Path] = field(default_factory=set)
    """Lists that lost entries."""
    _kept: dict[Path, list[int]] = field(default_factory=dict)

    def own_path(self, path: Path) -> Path:
        """The path in the person's file of `path` in the mended one: lists that lost entries count differently."""
        own: Path = ()
        for part in path:
            kept = self._kept.get(own)
            own = (*own, kept[part] if kept and isinstance(part, int) else part)
        return own

    def trusts(self, path: Path) -> bool:
        """Whether the file itself says what stands at `path` (a path of the person's file)."""
        return path not in self.shortened and not any(path[: len(part)] == part for part in self.broken)


def mend(data: Any, errors: list[ErrorDetails]) -> Mended:
    """Faulty values left out or replaced, outward until the rest is sound; `file` is None when nothing is.

    An entry of a list that lacks what it needs goes as a whole.
    """
    mended = Mended()
    if not isinstance(data, dict):
        return mended
    data = deepcopy(data)
    for _ in range(_ROUNDS):
        for error in errors:
            path = mended.own_path(path_in_file(error["loc"]))
            mended.broken.add(_leave_out(data, path, missing=error["type"] == "missing"))
        mended._kept.clear()  # noqa: SLF001  # its own constructor
        mended.file, errors = validate(_without_dropped(data, (), mended))
        if mended.file is not None:
            break
    return mended


def _leave_out(data: Any, path: Path, *, missing: bool) -> Path:
    """Drops the value at `path`, or puts a sound one there; returns the path of what is not the file's own now."""
    sound = _sound_value(path)
    if missing and sound is None:
        path = path[:-1]
    if not path:
        return path
    parent = data
    for part in path[:-1]:
        # What stood around it may have been left out already, for another fault.
        if isinstance(parent, list) and isinstance(part, int):
            parent = parent[part]
        else:
            parent = parent.get(part) if isinstance(parent, dict) else None
    last = path[-1]
    if isinstance(parent, list) and isinstance(last, int):
        parent[last] = _DROPPED
    elif isinstance(parent, dict):
        parent.pop(last, None)
        if sound is not None:
            parent[last] = deepcopy(sound)
    return path


def _without_dropped(value: Any, path: Path, mended: Mended) -> Any:
    """`value` without dropped entries; `mended` learns which entries of such lists are left."""
    if isinstance(value, dict):
        return {key: _without_dropped(inner, (*path, key), mended) for key, inner in value.items()}
    if not isinstance(value, list):
        return value
    kept = [i for i, inner in enumerate(value) if inner is not _DROPPED]
    if len(kept) < len(value):
        mended.shortened.add(path)
        mended._kept[path] = kept  # noqa: SLF001  # its own constructor
    return [_without_dropped(value[i], (*path, i), mended) for i in kept]


def _sound_value(path: Path) -> Any:
    value: Any = _SOUND
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
