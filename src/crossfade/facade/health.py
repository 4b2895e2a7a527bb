"""Whether modern may answer at all: failures send everybody back to legacy, and so does anybody's word."""

import threading
from collections import deque

from crossfade.facade.errors import SettingsInvalid


class Health:
    """Sends everybody back when too many of the newest modern calls have failed, or when it is told to.

    Of the newest `window` calls at least `minimum` must have been made, and `limit` of these (a part: 0.5 is half)
    have failed. Sent back is sent back: only `readmit` ends it, so nothing flaps. May be shared by several experiments
    and by threads. Raises SettingsInvalid.
    """

    def __init__(self, *, window: int = 100, minimum: int = 20, limit: float = 0.5) -> None:
        faults = [] if 1 <= minimum <= window else ["minimum must lie from 1 to window"]
        faults += [] if 0 < limit <= 1 else ["limit must be above 0, at most 1"]
        if faults:
            raise SettingsInvalid(tuple(faults))
        self._lock = threading.Lock()
        self._failed: deque[bool] = deque(maxlen=window)
        self._minimum, self._limit = minimum, limit
        self.sent_back: str | None = None
        """Why everybody is on legacy; None while modern may answer."""

    def send_back(self, reason: str) -> None:
        """From the next call on legacy answers everybody, and nothing is shadowed. The first reason stands."""
        with self._lock:
            self.sent_back = self.sent_back or reason or "no reason was given"

    def readmit(self) -> None:
        """Flags decide again; failures from before are forgotten."""
        with self._lock:
            self._failed.clear()
            self.sent_back = None

    def record(self, *, failed: bool) -> None:
        """One modern call that answered a user."""
        with self._lock:
            self._failed.append(failed)
            if not failed or self.sent_back is not None or len(self._failed) < self._minimum:
                return
            calls, failures = len(self._failed), sum(self._failed)
            if failures >= self._limit * calls:
                self.sent_back = f"{failures} of the newest {calls} modern calls have failed"
