"""What a synthesis leaves behind."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as it was written."""

    name: str
    template: str
    """File name within the folder."""
    resources: int
    needs: tuple[str, ...]
    """Stacks that must be deployed before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What a synthesis leaves behind."""

    folder: Path
    stacks: tuple[Stack, ...]
    """In an order in which they can be deployed."""
    seconds: float
    """Without the time in which the libraries were loaded."""
