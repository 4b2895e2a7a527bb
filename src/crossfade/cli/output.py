"""What every command keeps to: people read stderr, programs read the last line of stdout, exit codes have meanings."""

import json
from collections.abc import Mapping
from enum import IntEnum

from rich.console import Console
from rich.markup import escape

from crossfade.model.errors import CrossfadeError


class Exit(IntEnum):
    """Source: CONTRACT of the command line, docs/commands.md."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    ENDED_OTHERWISE = 10


people = Console(stderr=True, highlight=False)


def answer(result: Mapping[str, object]) -> None:
    """The one JSON object of `--json`, the last line of stdout."""
    print(json.dumps(result, default=str), flush=True)


def complain(failure: CrossfadeError) -> None:
    """What went wrong and what to do about it; never a traceback."""
    people.print(f"[bold red]✗[/] {escape(str(failure))}", soft_wrap=True)
    if failure.remedy:
        people.print(f"  [dim]→[/] {escape(failure.remedy)}", soft_wrap=True)
