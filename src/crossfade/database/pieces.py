"""The second half of a schema in pieces: what each needs, what it locks, and in which stage it is made. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from crossfade.database.dump import Entry


class Stage(IntEnum):
    """In this order; the next begins when nothing of the one before is left."""

    BUILD = 0
    """What reads a whole table and sorts it: indexes, and the constraints that are indexes."""
    ATTACH = 1
    """Indexes of partitions become parts of their parents'."""
    REFER = 2
    """Foreign keys that are not validated yet: a moment each."""
    VALIDATE = 3
    """What reads two tables and compares them: foreign keys."""
    REST = 4
    FIRE = 5
    """Triggers: nothing that is made here sets them off."""

    @property
    def at_once(self) -> bool:
        """Whether it takes long and several may be at work; the others take a moment and a lock each."""
        return self in {Stage.BUILD, Stage.VALIDATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """How the source defines it. `add` leaves it to be validated; empty where the server cannot, or need not."""

    add: str
    validate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What the source knows of an index or a constraint. Tables are numbers of its catalog; `table` is locked.

    `other` is the table that a foreign key refers to, 0 for everything else.
    """

    table: int
    other: int
    size_bytes: int
    foreign_key: ForeignKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One object, or one step to it. `name` is noted where it is made; `needs` are names of other pieces.

    `statement` is empty where the archive has it, under `entry`. No other piece may lock a table in `alone` meanwhile;
    those that only share a table may work on it at once.
    """

    name: str
    entry: Entry
    stage: Stage
    needs: frozenset[str]
    size_bytes: int = 0
    alone: frozenset[int] = frozenset()
    shares: frozenset[int] = frozenset()
    statement: str = ""

    def is_hindered_by(self, other: "Piece") -> bool:
        """Whether the two would wait for each other's locks."""
        return bool(self.alone & (other.alone | other.shares) or self.shares & other.alone)


_STAGES = {
    "INDEX ATTACH": Stage.ATTACH,
    "INDEX": Stage.BUILD,
    "CONSTRAINT": Stage.BUILD,
    "STATISTICS": Stage.BUILD,
    "FK CONSTRAINT": Stage.VALIDATE,
    "TRIGGER": Stage.FIRE,
    "EVENT TRIGGER": Stage.FIRE,
}
_INDEX_CATALOG, _CONSTRAINT_CATALOG = 1259, 2606  # pg_class and pg_constraint, as archives number them


def pieces_of(
    entries: Iterable[Entry], needs: Mapping[int, frozenset[int]], weights: Mapping[tuple[int, int], Weight]
) -> tuple[Piece, ...]:
    """Each entry as one piece, a foreign key that can be validated later as two; in the order of the archive.

    `needs` are entries by number, `weights` are by catalog and number in it. No piece is in an earlier stage than one
    that it needs.
    """
    entries = tuple(entries)
    names = {entry.number: entry.rest for entry in entries}
    made: list[Piece] = []
    stages: dict[str, Stage] = {}
    for entry in entries:
        needed = frozenset(names[number] for number in needs.get(entry.number, frozenset()) if number in names)
        for piece in _steps(entry, needed - {entry.rest}, weights.get((entry.catalog, entry.oid))):
            stage = max([piece.stage, *(stages.get(name, Stage.BUILD) for name in piece.needs)])
            stages[piece.name] = stage
            made.append(replace(piece, stage=stage))
    return tuple(made)


def _steps(entry: Entry, needs: frozenset[str], weight: Weight | None) -> tuple[Piece, ...]:
    plain = Piece(name=entry.rest, entry=entry, stage=_stage(entry), needs=needs)
    if weight is None:
        return (plain,)
    tables = frozenset({weight.table, weight.other} - {0})
    plain = replace(plain, size_bytes=weight.size_bytes, alone=tables)
    if entry.catalog == _INDEX_CATALOG:
        return (replace(plain, alone=frozenset(), shares=tables),)
    key = weight.foreign_key
    if key is None or not key.add:
        return (plain,)
    added = replace(plain, stage=Stage.REFER, statement=key.add)
    checked = replace(
        plain,
        name=f"VALIDATE {entry.rest}",
        needs=frozenset({entry.rest}),
        alone=frozenset({weight.table}),  # of the other table it only reads
        statement=key.validate,
    )
    return added, checked


def _stage(entry: Entry) -> Stage:
    kinds = (kind for kind in _STAGES if entry.rest.startswith(f"{kind} "))
    return next((_STAGES[kind] for kind in kinds), Stage.REST)
