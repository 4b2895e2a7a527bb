"""What is to be done about one path, from what stands on both shares and what was last delivered. Pure.

The primary is the share that is followed, the other one its copy. Three situations differ:

- FOLLOW: the other share never was primary. It is a mirror: what differs there is overwritten, what is deleted on the
  primary is deleted there. A file that only the other share has, and that was never delivered, is a *stray*: reported,
  left alone.
- FOLLOW_BACK: the other share was primary before. As FOLLOW, except that nothing written there is lost: a late write
  of the old primary (a new file, or a newer version) is fetched.
- TURN: the final delta of the old direction. 'Primary' is then the old one and the other share takes users' writes
  already, so what changed there is left for the new direction to carry.

Where both shares hold different contents and neither is what was last delivered, the one modified later wins, and at
the same time the one of the share that takes writes now. A change beats a deletion. Modification times are those of
the files' own systems: their clocks must agree better than two people can edit the same file.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells, without reading it, that a file is still the one that was read: size, mtime and inode."""

    size: int
    modified_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was the same on both shares when they were last compared: by these signatures."""

    primary: Signature
    other: Signature


class Mode(StrEnum):
    FOLLOW = "follow"
    FOLLOW_BACK = "follow_back"
    TURN = "turn"


class Action(StrEnum):
    """COPY goes from the primary to the other share, FETCH the other way. LEAVE is left to the new direction."""

    NOTHING = "nothing"
    COPY = "copy"
    FETCH = "fetch"
    COMPARE = "compare"
    DELETE = "delete"
    FORGET = "forget"
    LEAVE = "leave"
    STRAY = "stray"


def decide(primary: Signature | None, other: Signature | None, last: Delivered | None, mode: Mode) -> Action:
    """What brings one path in step; None where it does not stand on a share, or was never delivered."""
    if primary is None and other is None:
        return Action.FORGET
    if last is None:
        return _first_seen(primary, other, mode)
    written, altered = primary != last.primary, other != last.other
    if not written and not altered:
        return Action.NOTHING
    if primary is None:
        if not altered:
            return Action.DELETE
        return {Mode.FOLLOW: Action.DELETE, Mode.FOLLOW_BACK: Action.FETCH, Mode.TURN: Action.LEAVE}[mode]
    if other is None:
        return Action.LEAVE if mode is Mode.TURN and not written else Action.COPY
    if written:
        return Action.COMPARE if altered else Action.COPY
    return {Mode.FOLLOW: Action.COPY, Mode.FOLLOW_BACK: Action.COMPARE, Mode.TURN: Action.LEAVE}[mode]


def resolve(primary: Signature, other: Signature, mode: Mode) -> Action:
    """Which of two different contents wins."""
    if mode is Mode.FOLLOW:
        return Action.COPY
    if mode is Mode.FOLLOW_BACK:
        return Action.FETCH if other.modified_ns > primary.modified_ns else Action.COPY
    return Action.COPY if primary.modified_ns > other.modified_ns else Action.LEAVE


def _first_seen(primary: Signature | None, other: Signature | None, mode: Mode) -> Action:
    if other is None:
        return Action.COPY
    if primary is None:
        return {Mode.FOLLOW: Action.STRAY, Mode.FOLLOW_BACK: Action.FETCH, Mode.TURN: Action.LEAVE}[mode]
    return Action.COMPARE
