"""The clock of the engine's machine, which the fault `clock-jump` moves; nobody else's.

The offset stands in a file of the rehearsal's folder, which is there only when the fault is asked for.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from crossfade import durable
from crossfade.engine.clock import machine_time

_NAME = "clock-offset"


def jump(folder: Path, offset: timedelta) -> None:
    """From now on the clock shows so much more than the time; less, if it is negative."""
    durable.replace(folder / _NAME, f"{offset.total_seconds():g}".encode())


def site_clock(folder: Path) -> Callable[[], datetime]:
    """What the clock of the engine's machine shows."""

    def shown() -> datetime:
        try:
            return machine_time() + timedelta(seconds=float((folder / _NAME).read_bytes()))
        except (OSError, ValueError):
            return machine_time()

    return shown
