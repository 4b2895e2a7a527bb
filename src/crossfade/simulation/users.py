"""Users that never stop: they write under a key each, try again with the same key while unsure, and keep a ledger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub
from crossfade.simulation.postgres.catalog import APPLICATION, BATCH
from crossfade.simulation.postgres.server import Server

_USUAL = 0.7
"""Seconds between writes, on average."""
_DENSE = 0.02
_GIVES_UP = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.5
_AT_MOST = 40
"""Writes under way at once: more who wait for the same would show nothing new."""
_NO_ANSWER = 3.0


@dataclass(slots=True)
class _Write:
    key: str
    user: float
    side: Side
    began: float
    pause: float = _FIRST_PAUSE
    tries: int = 0


class Users:
    """`ledger` holds the keys of writes that were acknowledged; `unsure` those given up without an answer.

    For `excused` ones, whose rows the world has taken away itself, nothing is promised.
    """

    def __init__(
        self,
        hub: Hub,
        rng: Random,
        databases: Mapping[Side, Server],
        route: Callable[[float], Side | None],
        reaches: Callable[[Side, Side], bool],
    ) -> None:
        self._hub, self._rng, self._databases, self._route, self._reaches = hub, rng, databases, route, reaches
        self.ledger: list[str] = []
        self.unsure: list[str] = []
        self.excused: set[str] = set()
        self.longest_wait = 0.0
        self._believed = Side.SOURCE
        self._made = self._under_way = 0
        self._dense_until = 0.0
        self._stopped = False

    def start(self) -> None:
        self._hub.after(self._rng.expovariate(1 / _USUAL), self._come)

    def stop(self) -> None:
        """No new writes; those under way go on."""
        self._stopped = True

    def crowd(self, seconds: float) -> None:
        """They come densely for a while: around a switch is where a write could be lost."""
        self._dense_until = max(self._dense_until, self._hub.seconds + seconds)

    def write_slowly(self, side: Side, seconds: float) -> None:
        """A transaction of the application that stays open so long."""
        self._made += 1
        key = f"slow{self._made}"

        def done(outcome: str) -> None:
            if outcome == "committed":
                self.ledger.append(key)

        self._databases[side].write(key, role=BATCH, seconds=seconds, done=done)

    def _come(self) -> None:
        if self._stopped:
            return
        if self._under_way < _AT_MOST:
            self._begin()
        mean = _DENSE if self._hub.seconds < self._dense_until else _USUAL
        self._hub.after(self._rng.expovariate(1 / mean), self._come)

    def _begin(self) -> None:
        self._made += 1
        self._under_way += 1
        self._try(_Write(f"k{self._made}", self._rng.uniform(0, 100), self._believed, self._hub.seconds))

    def _try(self, write: _Write) -> None:
        server = self._route(write.user)
        if server is None or not self._reaches(server, write.side):
            self._again(write, write.side)
            return
        write.tries += 1
        answered = False

        def done(outcome: str) -> None:
            nonlocal answered
            if answered:
                return
            answered = True
            timeout.cancel()
            self._answered(write, str(outcome))

        seconds = self._rng.choice((0.0005, 0.002, 0.01, 0.3)) * self._rng.uniform(0.5, 1.5)
        timeout = self._hub.after(_NO_ANSWER, lambda: done("unknown"))
        self._databases[write.side].write(write.key, role=APPLICATION, seconds=seconds, done=done)

    def _answered(self, write: _Write, outcome: str) -> None:
        if outcome == "committed":
            self.ledger.append(write.key)
            self._under_way -= 1
            self.longest_wait = max(self.longest_wait, self._hub.seconds - write.began)
            self._believed = write.side
        elif outcome == "refused":
            self._again(write, write.side.other)
        else:
            self._again(write, self._believed if write.tries % 3 else self._believed.other)

    def _again(self, write: _Write, side: Side) -> None:
        """With the same key, so that a write which was done after all is found, not doubled."""
        if self._hub.seconds - write.began > _GIVES_UP:
            self.unsure.append(write.key)
            self._under_way -= 1
            return
        write.side = side
        write.pause = min(write.pause * 2, _LONGEST_PAUSE)
        self._hub.after(write.pause * self._rng.uniform(0.5, 1.5), lambda: self._try(write))
