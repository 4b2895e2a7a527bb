"""Both shares compared by content, every file read: the check at the end."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from threading import Event

from crossfade.files.share import Share, fault

_LOOK_AGAIN_SECONDS = 0.2


class Kind(StrEnum):
    """`MISSING` on the other share, `EXTRA` there, `CHANGED` between them, or `UNREADABLE` on either."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    path: str
    kind: Kind


def differences(primary: Share, other: Share, *, settle: timedelta) -> tuple[FileDifference, ...]:
    """Every path that is not the same on both; empty when all are.

    Files are written meanwhile, so what differs is read again until it is the same, or `settle` has passed. Raises
    `ShareUnusable`.
    """
    until = time.monotonic() + settle.total_seconds()
    here, there = primary.look({}), other.look({})
    paths = here.files.keys() | there.files.keys()
    found = _differing(primary, other, paths)
    while found and time.monotonic() < until:
        Event().wait(_LOOK_AGAIN_SECONDS)
        found = _differing(primary, other, found)
    unlisted = {path: Kind.UNREADABLE for look in (here, there) for path in look.unlisted}
    return tuple(
        FileDifference(path=fault(path, "", "").path, kind=kind) for path, kind in sorted({**found, **unlisted}.items())
    )


def _differing(primary: Share, other: Share, paths: Iterable[str]) -> dict[str, Kind]:
    kinds = {path: _difference(primary, other, path) for path in paths}
    return {path: kind for path, kind in kinds.items() if kind is not None}


def _difference(primary: Share, other: Share, path: str) -> Kind | None:
    try:
        here, there = _content(primary, path), _content(other, path)
    except OSError:
        return Kind.UNREADABLE
    if here == there:
        return None
    if there is None:
        return Kind.MISSING
    return Kind.EXTRA if here is None else Kind.CHANGED


def _content(share: Share, path: str) -> str | None:
    try:
        return share.digest(path)[0]
    except FileNotFoundError:
        return None
