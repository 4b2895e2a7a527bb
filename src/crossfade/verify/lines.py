"""Chunks and what was found in them, as lines of JSON: written on one computer, read on another, strict at the door."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from crossfade.model.errors import CrossfadeError
from crossfade.verify.bounds import Chunk
from crossfade.verify.manifest import Outcome

_TOLD = 20
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Line(BaseModel):
    """`of` is the fingerprint of the comparison; `number` counts its chunks from 1, in the order of tables and keys."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", frozen=True)

    version: Literal[1] = 1
    of: Fingerprint
    number: Annotated[int, Field(ge=1)]

    def text(self) -> str:
        """The line, with its end."""
        return self.model_dump_json() + "\n"


class ChunkLine(_Line):
    """A chunk to be compared."""

    chunk: Chunk

    @model_validator(mode="after")
    def _part_is_sound(self) -> Self:
        part = self.chunk.part
        if part is not None and (
            part.modulus < 1
            or part.modulus & (part.modulus - 1)
            or not all(0 <= residue < part.modulus for residue in part.residues)
        ):
            raise ValueError("its residues do not belong to a power of two")
        if part is not None and part.cuts and len({bound and len(bound) for bound in part.bounds}) != 1:
            raise ValueError("its cuts do not lie between bounds of as many columns")
        return self


class ResultLine(_Line):
    """What was found in the chunk of that number."""

    table: str
    outcome: Outcome


L = TypeVar("L", bound=_Line)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """What is wrong in a line, counted from 1, and where in it. No value is repeated: a line may hold those of rows."""

    line: int
    place: str
    problem: str


class LinesUnreadable(CrossfadeError):
    """Lines that nobody here has written, or that were damaged. All of them are told."""

    remedy = "Give the file as `crossfade chunks` wrote it; make it anew if it was damaged."

    def __init__(self, name: str, faults: tuple[LineFault, ...]) -> None:
        self.name, self.faults = name, faults
        told = "; ".join(
            f"line {each.line}{f', {each.place}' * bool(each.place)}: {each.problem}" for each in faults[:_TOLD]
        )
        more = f"; and {len(faults) - _TOLD} more faults" if len(faults) > _TOLD else ""
        super().__init__(f"{name} cannot be read: {told}{more}")


def read_lines(lines: Iterable[bytes], kind: type[L], name: str) -> tuple[L, ...]:
    """Every line in its order; blank ones are passed over. Raises `LinesUnreadable`, of the file `name`.

    A line may also be a batch, as a Distributed Map of Step Functions hands it to a worker: `{"Items": […]}`, and what
    else it says is its own.
    """
    read: list[L] = []
    faults: list[LineFault] = []
    for number, line in enumerate(lines, start=1):
        for text in _unpacked(line):
            try:
                read.append(kind.model_validate_json(text))
            except ValidationError as fault:
                faults += [
                    LineFault(line=number, place=".".join(map(str, error["loc"])), problem=error["msg"])
                    for error in fault.errors(include_url=False, include_input=False, include_context=False)
                ]
    if faults:
        raise LinesUnreadable(name, tuple(faults))
    return tuple(read)


def _unpacked(line: bytes) -> list[str | bytes]:
    if not line.strip():
        return []
    try:
        found = json.loads(line)
    except ValueError:
        return [line]  # what is wrong with it is told when it is read
    items = found.get("Items") if isinstance(found, dict) else None
    return [json.dumps(item) for item in items] if isinstance(items, list) else [line]
