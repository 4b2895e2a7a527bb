"""The way between two sites: late, cut, and whole again."""

import random
from collections import deque

from crossfade.simulation.hub import Action, Hub

_RETRANSMITTED_SECONDS = 0.8  # at most this long after the link is whole, what was under way arrives
_STALL_ONE_IN = 400
_STALL_SECONDS = 0.3


class Link:
    """What is sent while it is cut is under way until it is whole again. Set `up`, `round_trip`, `jitter` at any time.

    `round_trip` and `jitter` are in seconds; one message in some hundreds is late for no reason (`stalls`).
    `on_change` is called after each cut and each mending.
    """

    def __init__(
        self, hub: Hub, rng: random.Random, *, round_trip: float = 0.0004, jitter: float = 0.0, stalls: bool = True
    ) -> None:
        self.hub, self.round_trip, self.jitter, self.stalls = hub, round_trip, jitter, stalls
        self.on_change: list[Action] = []
        self._rng, self._up = rng, True
        self._held: list[Action] = []

    @property
    def up(self) -> bool:
        return self._up

    @up.setter
    def up(self, value: bool) -> None:
        if value == self._up:
            return
        self._up = value
        if value and self._held:
            held, self._held = self._held, []
            at = self._rng.random() * _RETRANSMITTED_SECONDS
            for action in held:
                self.hub.after(at, action)
        for action in list(self.on_change):
            action()

    def one_way(self) -> float:
        """How long the next message is under way, in seconds."""
        seconds = self.round_trip / 2
        if self.jitter:
            seconds += self._rng.random() * self.jitter
        if self.stalls and self._rng.random() * _STALL_ONE_IN < 1.0:
            seconds += self._rng.random() * _STALL_SECONDS
        return seconds

    def hold(self, action: Action) -> None:
        """Do it when the link is whole again."""
        self._held.append(action)


class Pipe:
    """One direction of one connection: what is sent arrives once and in order, or not at all once it is closed."""

    __slots__ = ("_last", "_link", "_waiting", "closed")

    def __init__(self, link: Link) -> None:
        self._link, self._last, self.closed = link, 0.0, False
        self._waiting: deque[Action] = deque()

    def send(self, deliver: Action) -> None:
        if self.closed:
            return
        link = self._link
        now = link.hub.seconds
        self._last = max(self._last, now + link.one_way())
        link.hub.after(self._last - now, lambda: self._arrive(deliver))

    def close(self) -> None:
        self.closed = True
        self._waiting.clear()

    def _arrive(self, deliver: Action) -> None:
        if self.closed:
            return
        if self._link.up and not self._waiting:
            deliver()
            return
        self._waiting.append(deliver)
        if len(self._waiting) == 1:
            self._link.hold(self._drain)

    def _drain(self) -> None:
        while self._waiting and self._link.up:
            self._waiting.popleft()()
        if self._waiting:
            self._link.hold(self._drain)
