"""A forked child has none of its parent's threads, but the locks that these held: what stands here begins anew."""

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Has threads, or waits for some."""

    def begin_anew(self) -> None:
        """Called in the child, by its only thread."""
        ...


_EVERY: "weakref.WeakSet[Forked]" = weakref.WeakSet()


def renew_after_fork(forked: Forked) -> None:
    """`begin_anew` is called in each child, for as long as somebody else holds `forked`."""
    _EVERY.add(forked)


def _after_fork() -> None:
    for forked in tuple(_EVERY):
        forked.begin_anew()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork either
    os.register_at_fork(after_in_child=_after_fork)
