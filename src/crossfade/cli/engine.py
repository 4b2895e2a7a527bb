"""The engine's process: not for people; `crossfade rehearse` and `crossfade resume` start it."""

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from crossfade.bootstrap import rehearsal_engine, rehearsal_notices
from crossfade.cli.migration_file import sound
from crossfade.rehearsal.layout import read_layout_in


def engine(
    folder: Annotated[Path, typer.Argument(help="The rehearsal's folder.")],
    die_at: Annotated[str, typer.Option(help="End by SIGKILL at this point of the next switch.")] = "",
) -> None:
    """Carry out the migration in a folder until it has ended."""

    def at(point: str) -> None:
        if point == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    layout = read_layout_in(folder)
    file = sound(layout.file)
    with rehearsal_notices(layout, file):
        rehearsal_engine(layout, file, at=at if die_at else None).run()
