"""Where time comes from."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, with zone."""
        ...

    def sleep_until(self, moment: datetime) -> None:
        """Return at `moment`, or at once when it has passed."""
        ...


def machine_time() -> datetime:
    """What the machine's clock shows. It may jump at any time."""
    return datetime.now(UTC)


class SteadyClock:
    """Begins with what `wall` shows and goes on evenly, whatever becomes of that: no duration is ever wrong by a jump.

    It begins at `not_before` (the time of the journal's last entry) if `wall` shows less, so a journal's times never
    run backwards from one engine to the next.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], datetime] = machine_time,
        not_before: datetime | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        shown = wall()
        self._began = shown if not_before is None else max(shown, not_before)
        self._began_at = monotonic()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self._monotonic() - self._began_at)

    def sleep_until(self, moment: datetime) -> None:
        time.sleep(max(0.0, (moment - self.now()).total_seconds()))


class VirtualClock:
    """Jumps to the moment that is waited for; a day passes in no time."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def sleep_until(self, moment: datetime) -> None:
        self._now = max(self._now, moment)
