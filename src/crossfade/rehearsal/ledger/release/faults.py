"""Faults that the launcher sets for all servers of a site at once, read at each request from shared memory."""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

_LAYOUT = struct.Struct("5d")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLevels:
    """Percentages. `latency_percent` is added to the service time; the others are shares of requests.

    `declined_percent` is of transfers alone: refused before anything is booked, as by a rule of the business.
    `hang_percent` of shadow requests get no answer as long as it lasts.
    """

    latency_percent: float = 0.0
    error_percent: float = 0.0
    wrong_percent: float = 0.0
    declined_percent: float = 0.0
    hang_percent: float = 0.0


class SharedFaults:
    """A mapped file of four doubles: whoever opens the same file sees the same levels, at once."""

    def __init__(self, file: Path) -> None:
        """The file is made, with no faults, when it is not there."""
        with file.open("a+b") as handle:
            if handle.tell() < _LAYOUT.size:
                handle.truncate(_LAYOUT.size)
            self._memory = mmap.mmap(handle.fileno(), _LAYOUT.size)

    def read(self) -> FaultLevels:
        latency, error, wrong, declined, hang = _LAYOUT.unpack_from(self._memory)
        return FaultLevels(
            latency_percent=latency,
            error_percent=error,
            wrong_percent=wrong,
            declined_percent=declined,
            hang_percent=hang,
        )

    def write(self, levels: FaultLevels) -> None:
        shares = (levels.error_percent, levels.wrong_percent, levels.declined_percent, levels.hang_percent)
        _LAYOUT.pack_into(self._memory, 0, levels.latency_percent, *shares)
