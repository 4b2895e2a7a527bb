"""Notices on the terminal, one line each and the text below it."""

import sys
from typing import TextIO

from crossfade.notify.errors import NotTaken
from crossfade.notify.port import Notice
from crossfade.notify.rendering import plain, subject


class TerminalChannel:
    """Writes to `stream`, standard error unless told otherwise: standard output belongs to results."""

    def __init__(self, stream: TextIO | None = None, *, name: str = "terminal") -> None:
        self.name = name
        self._stream = stream

    def deliver(self, notice: Notice) -> None:
        """Raises `NotTaken` when the terminal is gone."""
        lines = [f"{notice.at:%H:%M:%S} {subject(notice)}"]
        lines.extend(f"         {plain(line)}" for line in notice.text.splitlines())
        stream = self._stream or sys.stderr
        try:
            stream.write("\n".join(lines) + "\n")
            stream.flush()
        except (OSError, ValueError) as gone:  # ValueError: the stream is closed
            raise NotTaken(channel=self.name, reason="the terminal is gone") from gone
