"""Notices to channels: each channel at its own pace, in order, at least once, over crashes."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from crossfade.model.errors import CrossfadeError
from crossfade.notify.cursor import Cursor
from crossfade.notify.port import Channel, Notice

_LOG = logging.getLogger(__name__)

Notices = Callable[[int, int], Sequence[Notice]]
"""(after, limit) → the next notices by position, at most `limit`. Called from several threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is looked for new notices, and how long is waited after failures: doubling, up to `longest_pause`.

    `batch` bounds what is held in memory for a channel that is far behind.
    """

    look: timedelta = timedelta(milliseconds=500)
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(minutes=5)
    batch: int = 100

    def pause(self, failures: int) -> timedelta:
        """How long to wait after so many failures in a row (at least 1)."""
        doublings = min(failures - 1, 30)  # enough for any pause, and no overflow
        return min(self.first_pause * (1 << doublings), self.longest_pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """How a channel fares: `failures` in a row, and the last reason while there are any."""

    channel: str
    position: int
    failures: int
    reason: str | None


class Courier:
    """Delivers to one channel. Not for several threads at once."""

    def __init__(self, channel: Channel, notices: Notices, cursor: Cursor, pace: Pace) -> None:
        self._channel = channel
        self._notices = notices
        self._cursor = cursor
        self._pace = pace
        self._lock = Lock()
        self._state = ChannelState(channel=channel.name, position=0, failures=0, reason=None)

    @property
    def state(self) -> ChannelState:
        with self._lock:
            return self._state

    def deliver_batch(self) -> timedelta:
        """Deliver what there is, at most a batch, up to the first failure; how long to wait before the next call.

        Never raises: what fails is tried again, for ever, but not faster than the pace allows.
        """
        try:
            position = self._cursor.load(self._channel.name)
            waiting = self._notices(position, self._pace.batch)
            for notice in waiting:
                self._channel.deliver(notice)
                self._cursor.store(self._channel.name, notice.position)
                self._note(position=notice.position, reason=None)
        except CrossfadeError as failed:
            return self._failed(str(failed))
        except Exception as failed:  # noqa: BLE001 - a fault in one channel must not end it, nor touch the others
            return self._failed(type(failed).__name__)  # not its text: it may hold an address or a secret
        self._note(position=waiting[-1].position if waiting else position, reason=None)
        return timedelta(0) if len(waiting) == self._pace.batch else self._pace.look

    def _failed(self, reason: str) -> timedelta:
        self._note(position=self.state.position, reason=reason)
        failures = self.state.failures
        if failures == 1:
            _LOG.warning("notices wait: %s", reason)
        return self._pace.pause(failures)

    def _note(self, *, position: int, reason: str | None) -> None:
        with self._lock:
            failures = 0 if reason is None else self._state.failures + 1
            self._state = ChannelState(channel=self._channel.name, position=position, failures=failures, reason=reason)


class Dispatcher:
    """A thread for each channel, so that one that hangs holds up neither the others nor whoever makes the notices."""

    def __init__(self, channels: Sequence[Channel], notices: Notices, cursor: Cursor, pace: Pace | None = None) -> None:
        """Raises `ValueError` when two channels have one name: they would share a cursor."""
        if len({channel.name for channel in channels}) != len(channels):
            raise ValueError("two channels have the same name")
        self._couriers = [Courier(channel, notices, cursor, pace or Pace()) for channel in channels]
        self._woken = [Event() for _ in channels]
        self._closing = Event()
        self._threads = [
            Thread(target=self._run, args=(courier, woken), name=f"notices-{courier.state.channel}", daemon=True)
            for courier, woken in zip(self._couriers, self._woken, strict=True)
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be something new: do not wait for the next look. A channel that is pausing goes on pausing."""
        for woken in self._woken:
            woken.set()

    def states(self) -> tuple[ChannelState, ...]:
        return tuple(courier.state for courier in self._couriers)

    def close(self, patience: timedelta = timedelta(seconds=5)) -> None:
        """Every channel makes a last attempt at what is left; then the threads end, at the latest after `patience`.

        What could not be delivered is delivered by the next dispatcher with the same cursor.
        """
        self._closing.set()
        self.wake()
        until = time.monotonic() + patience.total_seconds()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self, courier: Courier, woken: Event) -> None:
        while True:
            last = self._closing.is_set()
            pause = courier.deliver_batch()
            failing = courier.state.failures > 0
            if last and (failing or pause):
                return
            self._wait(pause, woken, failing=failing)

    def _wait(self, pause: timedelta, woken: Event, *, failing: bool) -> None:
        until = time.monotonic() + pause.total_seconds()
        while not self._closing.is_set() and (left := until - time.monotonic()) > 0:
            called = woken.wait(left)
            woken.clear()
            if called and not failing:
                return
