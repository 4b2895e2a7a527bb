"""What is wrong with a migration file, where, and what to do about it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One fault of a file. Line and column count from 1; a fault of the file as a whole stands at 1:1.

    `path` names the place as people write it (`traffic.ladder.step`, `source.servers[2].name`); empty means the
    whole file. No value that may be a secret is ever repeated in `problem` or `remedy`.
    """

    line: int
    column: int
    path: str
    problem: str
    remedy: str


_NAME = re.compile(r"[\w-]{1,60}")


def dotted(path: tuple[str | int, ...]) -> str:
    """The path as people write it: names joined by dots, places in lists in brackets from 0.

    A key that is no plain name stands as `…`: it may be anything, from a password to a terminal's control codes.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _NAME.fullmatch(part) else "…"
            text += f".{name}" if text else name
    return text
