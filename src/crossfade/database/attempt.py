"""One attempt at a switch: what it knows, and what it tells afterwards."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crossfade.database.port import SWITCH_POINTS
from crossfade.database.session import Rows, Session
from crossfade.model.seen import SwitchReport

_NO_MOMENTS = {"unskipped", "lost"}
_MOMENTS = SWITCH_POINTS[SWITCH_POINTS.index("fenced") :]


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What one attempt knows: its sessions, its marker, and how far it got."""

    old: Session
    new: Session
    epoch: int
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = 0.0
    moments: dict[str, float] = field(default_factory=dict)
    fenced_at: datetime | None = None
    fencing: bool = False
    opening: bool = False

    def note(self, session: Session, rows: Rows) -> None:
        """Take the points out of a script's answer, on our monotonic clock; of the fence, also by the side's own."""
        for name, *values in rows:
            if values and name not in _NO_MOMENTS:
                self.moments[name] = session.on_our_clock(float(values[0])) - self.started
                if name == "fenced":
                    self.fenced_at = datetime.fromtimestamp(float(values[0]), UTC)

    def report(self, *, resumed: bool) -> SwitchReport:
        moments: list[tuple[str, timedelta]] = []
        latest = 0.0
        for name in _MOMENTS:  # two servers' clocks: what follows from something is never told before it
            latest = max(latest, self.moments.get(name, latest))
            moments.append((name, timedelta(seconds=latest)))
        return SwitchReport(
            to=self.new.side,
            epoch=self.epoch,
            write_window=timedelta(seconds=self.moments["opened"]),
            moments=tuple(moments),
            fenced_at=self.fenced_at,
            resumed=resumed,
        )
