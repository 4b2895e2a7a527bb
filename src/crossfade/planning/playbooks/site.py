"""What cards are written from, and how texts of the file get into a shell."""

import shlex
from dataclasses import dataclass
from datetime import timedelta

from crossfade.model.file import MigrationFile
from crossfade.model.file.quantities import duration_text
from crossfade.planning.playbooks.records import Command, Landing, Limit

MOVED = "$MIGRATION"
"""The migration's id, as `crossfade status` lists it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One migration file, and what its things are called on AWS.

    `tries`: how often the runbook tries an end on a way back before it halts.
    """

    file: MigrationFile
    landing: Landing
    tries: int


def limit(says: str, value: timedelta | float | str, path: str) -> Limit:
    """A limit as the file writes it."""
    text = duration_text(value) if isinstance(value, timedelta) else f"{value:g}" if isinstance(value, float) else value
    return Limit(says=says, value=str(text), path=path)


def shell(text: str) -> str:
    """`text` as one word of a shell."""
    return shlex.quote(text)


def literal(text: str) -> str:
    """`text` as a literal of a JMESPath query that stands between single quotes. Slugs and names of hosts only."""
    return f'`"{text}"`'


def watched(says: str) -> Command:
    """What the engine itself says when the step is done."""
    return Command(says="What the engine says", text=f'crossfade watch "{MOVED}"', prints=says)
