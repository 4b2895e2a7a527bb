"""What a person would copy from a playbook, taken apart as a shell would take it."""

import re
import shlex
from dataclasses import dataclass

_BLOCK = re.compile(r"^```sh\n(?P<text>.*?)\n^```$", re.DOTALL | re.MULTILINE)
_KEPT = re.compile(r"(?P<name>[A-Z_]+)=\$\((?P<line>.*)\)", re.DOTALL)
_SET = re.compile(r"export (?P<name>[A-Z_]+)=(?P<value>[^\s\"]+|\"[^\"]*\")")
_INPUT = re.compile(r"(?P<line>[^\n]*) <<'(?P<end>[A-Z]+)'\n(?P<text>.*)\n(?P=end)", re.DOTALL)
_INTO = re.compile(r"(?P<line>.*) > (?P<file>[a-z.]+)", re.DOTALL)
_VARIABLE = re.compile(r"\$([A-Z_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One program with its words; none where a variable is set to a plain value.

    `given` is what it reads, `sets` the variable that keeps what it prints, `into` the file that does, and `uses` the
    variables that must have been set before.
    """

    words: tuple[str, ...]
    uses: frozenset[str]
    given: str = ""
    sets: str | None = None
    into: str | None = None

    @property
    def program(self) -> str:
        return self.words[0] if self.words else ""


def blocks(document: str) -> tuple[str, ...]:
    """Every block of a shell in a Markdown document, in order."""
    return tuple(found["text"] for found in _BLOCK.finditer(document))


def line(text: str) -> Line:
    """What one block runs."""
    uses = frozenset(_VARIABLE.findall(text))
    if kept := _KEPT.fullmatch(text):
        return Line(words=tuple(shlex.split(kept["line"])), uses=uses, sets=kept["name"])
    if put := _SET.fullmatch(text):
        return Line(words=(), uses=uses, sets=put["name"])
    if read := _INPUT.fullmatch(text):
        uses = frozenset(_VARIABLE.findall(read["line"]))
        return Line(words=tuple(shlex.split(read["line"])), uses=uses, given=read["text"])
    if into := _INTO.fullmatch(text):
        return Line(words=tuple(shlex.split(into["line"])), uses=uses, into=into["file"])
    return Line(words=tuple(shlex.split(text)), uses=uses)
