"""What a rehearsal needs, asked before anything is begun: better than after three minutes."""

import tempfile
from pathlib import Path

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal import parts
from crossfade.rehearsal.layout import Layout
from crossfade.rehearsal.processes import PortBusy, await_end_of, hold_ports, is_free
from crossfade.rehearsal.room import require_room

_LAST_MOMENTS_S = 20.0


class ReportsUnwritable(CrossfadeError):
    """The folder that report and journal will be put into cannot be made, or not written."""

    remedy = "Name a folder that you may write to with --report."

    def __init__(self, folder: Path, why: str) -> None:
        self.folder, self.why = folder, why
        super().__init__(f"the report cannot be put into {folder}: {why}")


def require(reports: Path, folder: Path, room: int) -> None:
    """Every program is there, `folder` has `room` bytes, and `reports` can be written.

    Raises `PartMissing`, `NoRoom` or `ReportsUnwritable`.
    """
    parts.require_all()
    require_room(folder, room)
    try:
        reports.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=reports):
            pass
    except OSError as refused:
        raise ReportsUnwritable(reports, refused.strerror or str(refused)) from refused


def require_ports(layout: Layout) -> None:
    """Every port of the rehearsal can be had. What its killed predecessor left gets time to end. Raises `PortBusy`."""
    hold_ports(layout.ports.everyone())
    await_end_of(layout.root, _LAST_MOMENTS_S)
    busy = sorted(port for port in layout.ports.everyone() if not is_free(port))
    if busy:
        raise PortBusy(*busy)
