"""Sheets: lines of cells with their numbers, from whatever kind of file. And what can go wrong with whole files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from crossfade.model.errors import CrossfadeError


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it stands there, counted from 1. `fault` not empty: it could not be taken apart, for this reason."""

    number: int
    cells: tuple[str, ...]
    fault: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet of `source`; `name` is empty where a file is one sheet. `lines` can be asked for once.

    `is_ragged`: cells beyond the header mean that a row's cells are shifted. `notes` say what was assumed.
    """

    source: str
    name: str
    lines: Iterator[Line]
    is_ragged: bool = False
    notes: tuple[str, ...] = ()


class SourceUnusable(CrossfadeError):
    """A file, or what is left of it, cannot be read. `row`: what comes after it is lost; None: all of it."""

    retryable: ClassVar[bool] = False

    def __init__(self, problem: str, remedy: str, row: int | None = None) -> None:
        self.problem, self.remedy, self.row = problem, remedy, row
        super().__init__(problem)


Progress = Callable[[str, int, int], None]
"""Told now and then: source, bytes read so far, bytes in all."""


def ignored(_source: str, _done: int, _all: int) -> None:
    """Progress that nobody watches."""
