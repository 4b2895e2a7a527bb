"""What every command keeps to: people read stderr, programs read the last line of stdout, exit codes have meanings."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from enum import IntEnum
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape

from crossfade.model.errors import CrossfadeError


class Exit(IntEnum):
    """Source: CONTRACT of the command line, docs/commands.md."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    ENDED_OTHERWISE = 10


class SystemRefused(CrossfadeError):
    """The operating system refused something that nobody closer to it expected to fail."""

    remedy = "Make room, or give the right; then do the same again."

    def __init__(self, refusal: OSError) -> None:
        self.number, self.place = refusal.errno, refusal.filename
        why = refusal.strerror or str(refusal)
        super().__init__(f"{self.place}: {why}" if self.place else f"the system refused: {why}")


class _People(Console):
    """Standard error, for people. When nobody reads it any more, or its disk is full, what runs goes on unseen."""

    def on_broken_pipe(self) -> None:
        self._look_away()

    def print(self, *objects: Any, **how: Any) -> None:
        try:
            super().print(*objects, **how)
        except OSError:
            self._look_away()

    def _look_away(self) -> None:
        self.quiet = True
        _forget(sys.stderr)


people = _People(stderr=True, highlight=False)


def answer(result: Mapping[str, object]) -> None:
    """The one JSON object of `--json`, the last line of stdout."""
    try:
        print(json.dumps(result, default=str), flush=True)
    except OSError:  # nobody reads: what was done is done nevertheless
        _forget(sys.stdout)


def _forget(stream: TextIO | None) -> None:
    """What is left in the buffer goes nowhere, or the interpreter would complain of it at its end."""
    if stream is not None:
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def complain(failure: CrossfadeError) -> None:
    """What went wrong and what to do about it; never a traceback."""
    people.print(f"[bold red]✗[/] {escape(str(failure))}", soft_wrap=True)
    if failure.remedy:
        people.print(f"  [dim]→[/] {escape(failure.remedy)}", soft_wrap=True)
