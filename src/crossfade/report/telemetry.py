"""`telemetry.jsonl`: what was seen while a migration ran, one `Progress` a line, for the report and for watchers.

It is not the journal: nothing is decided by it, so lines are not forced to disk one by one.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from crossfade.model.errors import CrossfadeError
from crossfade.model.progress import Progress

_PROGRESS: TypeAdapter[Progress] = TypeAdapter(Progress)
# One line is under a kilobyte; a torn one is looked for no further back.
_TAIL_BYTES = 64 * 1024


class TelemetryDamaged(CrossfadeError):
    """A line that is not the last cannot be read: somebody else wrote to the file."""

    remedy = "Restore the file from a copy, or remove that line; the journal is not affected."

    def __init__(self, path: Path, line: int) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path.name}, line {line}: not a progress record")


class TelemetryNotWritten(CrossfadeError):
    """The operating system refused. The migration itself does not depend on it."""

    retryable = True
    remedy = "Make room on the disk, or let the user who runs the migration write there."

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path.name} cannot be written: {why}")


def append_progress(path: Path, progress: Progress) -> None:
    """Add one line; a line that a crash left torn is dropped first. One writer at a time.

    Raises `TelemetryNotWritten`; what was in the file before then stays readable.
    """
    try:
        with path.open("a+b", buffering=0) as file:
            _drop_torn_line(file)
            file.write(_PROGRESS.dump_json(progress) + b"\n")
    except OSError as fault:
        raise TelemetryNotWritten(path, fault.strerror or str(fault)) from fault


def read_progress(path: Path) -> tuple[Progress, ...]:
    """Everything recorded, in order; empty without a file. A torn last line does not count.

    Raises `TelemetryDamaged` for any other line that is not a progress record.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    *lines, _torn = content.split(b"\n")
    found: list[Progress] = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_PROGRESS.validate_json(line, strict=True, extra="forbid"))
        except ValidationError as fault:
            raise TelemetryDamaged(path, number) from fault
    return tuple(found)


class TelemetryTail:
    """Follows a telemetry file that somebody else writes: `read` gives what came since the last call."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0

    def read(self) -> tuple[Progress, ...]:
        """Whole lines only; a line that cannot be read is passed over, for this is for looking on."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return ()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        found: list[Progress] = []
        for line in whole.splitlines():
            with suppress(ValidationError):
                found.append(_PROGRESS.validate_json(line, strict=True, extra="forbid"))
        return tuple(found)


def _drop_torn_line(file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL_BYTES)
    file.seek(start)
    tail = file.read(size - start)
    if tail and not tail.endswith(b"\n"):
        file.truncate(start + tail.rfind(b"\n") + 1)
