"""What a rehearsal needs, asked before anything is begun: better than after three minutes."""

import os
import pwd
import tempfile
from pathlib import Path

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal import parts
from crossfade.rehearsal.layout import FolderUnusable, Layout
from crossfade.rehearsal.processes import PortBusy, await_end_of, hold_ports, is_free
from crossfade.rehearsal.room import require_room

_LAST_MOMENTS_S = 20.0


class ReportsUnwritable(CrossfadeError):
    """The folder that report and journal will be put into cannot be made, or not written."""

    remedy = "Name a folder that you may write to with --report."

    def __init__(self, folder: Path, why: str) -> None:
        self.folder, self.why = folder, why
        super().__init__(f"the report cannot be put into {folder}: {why}")


class NoAccount(CrossfadeError):
    """The user who runs this is a number without a name, and PostgreSQL refuses such users."""

    remedy = "Run as a user who has an account on this computer (a line in /etc/passwd)."

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"user {number} has no account here, and PostgreSQL starts for nobody without one")


def require(reports: Path, folder: Path, room: int) -> None:
    """Every program is there and would start, `folder` has `room` bytes, and `reports` can be written.

    Raises `PartMissing`, `NoAccount`, `NoRoom`, `FolderUnusable` or `ReportsUnwritable`.
    """
    parts.require_all()
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as unknown:
        raise NoAccount(os.geteuid()) from unknown
    try:
        require_room(folder, room)
    except OSError as refused:
        raise FolderUnusable(folder, refused.strerror or str(refused)) from refused
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
