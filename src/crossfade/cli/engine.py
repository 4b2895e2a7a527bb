"""The engine's process: not for people; `crossfade rehearse` and `crossfade resume` start it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from crossfade.bootstrap import rehearsal_engine, rehearsal_notices
from crossfade.cli.migration_file import sound
from crossfade.model.terms import Side
from crossfade.rehearsal.faults.points import at_points
from crossfade.rehearsal.layout import read_layout_in
from crossfade.rehearsal.lock import end_with_conductor


def engine(
    folder: Annotated[Path, typer.Argument(help="The rehearsal's folder.")],
    wait_at: Annotated[
        list[str] | None,
        typer.Option(metavar="SIDE:POINT", help="Wait there in a switch to that side for the conductor."),
    ] = None,
) -> None:
    """Carry out the migration in a folder until it has ended, or whoever conducts the rehearsal has."""
    layout = read_layout_in(folder)
    end_with_conductor(layout)
    file = sound(layout.file)
    with rehearsal_notices(layout, file):
        rehearsal_engine(layout, file, at=at_points(layout.root, _places(wait_at or ()))).run()


def _places(texts: Sequence[str]) -> frozenset[tuple[Side, str]]:
    parts = (text.partition(":") for text in texts)
    return frozenset((Side(side), point) for side, _, point in parts)
