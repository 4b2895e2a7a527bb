"""What people say about risks, in a strict YAML file of theirs: they add, close and override."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import Field

from crossfade.model.file import MigrationFile
from crossfade.model.file.fault import Fault
from crossfade.model.file.planning import RiskProbability
from crossfade.model.file.rules.finding import Finding, unique
from crossfade.model.file.section import Section
from crossfade.model.file.strict import read_section
from crossfade.model.file.texts import Slug, Text
from crossfade.model.file.tree import Path
from crossfade.planning.risks.keys import NoSuchKey, value_at
from crossfade.planning.risks.rules import ALL

Impact = Annotated[int, Field(ge=1, le=4)]
_ID_LETTERS = 36  # of the 40 that an id may have; the rest is for a number


class ToldTrigger(Section):
    """What tells that a risk has come about."""

    says: Text
    """In words."""
    limit: Text
    """Path of the limit in the migration file, such as `limits.max_p95`."""


class ToldRating(Section):
    """A rating by people."""

    impact: Impact
    """1 (minor) to 4 (critical)."""
    probability: RiskProbability
    """0.1, 0.3, 0.6 or 0.9."""


class Added(Section):
    """A risk that neither inventory nor migration file shows."""

    id: Slug
    """Its name in the register."""
    title: Text
    """What may happen."""
    category: Slug
    """Such as `data`, `network`, `people`, or one of your own."""
    impact: Impact
    """1 (minor) to 4 (critical)."""
    probability: RiskProbability
    """0.1, 0.3, 0.6 or 0.9."""
    owner: Text
    """Who watches it."""
    mitigations: tuple[Text, ...] = ()
    """What makes it smaller."""
    contingencies: tuple[Text, ...] = ()
    """What is done when it comes about."""
    triggers: tuple[ToldTrigger, ...] = ()
    """What tells that it has."""
    residual: ToldRating | None = None
    """What is left of it after the mitigations, by your judgement; without it, everything."""


class Closed(Section):
    """A risk that no longer counts."""

    id: Slug
    """Which."""
    by: Text
    """Who closed it."""
    on: date
    """When."""
    because: Text
    """Why."""


class Overridden(Section):
    """A risk that is rated or owned otherwise than the rules say."""

    id: Slug
    """Which."""
    by: Text
    """Who says so."""
    on: date
    """When."""
    because: Text
    """Why."""
    impact: Impact | None = None
    """1 to 4, before mitigations."""
    probability: RiskProbability | None = None
    """0.1, 0.3, 0.6 or 0.9, before mitigations."""
    residual: ToldRating | None = None
    """What is left after the mitigations."""
    owner: Text | None = None
    """Who watches it."""


class RegisterFile(Section):
    """What people say about risks. It is read and never written."""

    version: Literal[1]
    """Version of this format: 1."""
    add: tuple[Added, ...] = ()
    """Risks beside those found."""
    close: tuple[Closed, ...] = ()
    """Risks that no longer count; they stay in the register, with the reason."""
    override: tuple[Overridden, ...] = ()
    """Risks that are rated or owned otherwise."""


def read_register(text: str, name: str, file: MigrationFile) -> RegisterFile | tuple[Fault, ...]:
    """What `text` (YAML) says about the risks of the migration `file`, or all its faults, ordered by place."""

    def rules(register: RegisterFile) -> Iterator[Finding]:
        return _findings(register, file)

    return read_section(text, name, RegisterFile, rules)


def _findings(register: RegisterFile, file: MigrationFile) -> Iterator[Finding]:
    for key in ("add", "close", "override"):
        yield from unique((key,), "id", (one.id for one in getattr(register, key)))
    taken = {risk.id for risk in ALL} | set(told_ids(file))
    for i, added in enumerate(register.add):
        yield from _of_added(("add", i), added, taken, file)
    names = taken | {added.id for added in register.add}
    for key in ("close", "override"):
        for i, one in enumerate(getattr(register, key)):
            if one.id not in names:
                near = get_close_matches(one.id, names, n=1)
                remedy = f"did you mean {near[0]}?" if near else "write an id as `crossfade risks` shows it"
                yield Finding(places=((key, i, "id"),), problem="is no risk that is known", remedy=remedy)
    for i, override in enumerate(register.override):
        said = (override.impact, override.probability, override.residual, override.owner)
        if all(one is None for one in said):
            yield Finding(
                places=(("override", i),),
                problem="overrides nothing",
                remedy="give impact, probability, residual or owner, or take it out",
            )


def _of_added(place: Path, added: Added, taken: set[str], file: MigrationFile) -> Iterator[Finding]:
    if added.id in taken:
        yield Finding(
            places=((*place, "id"),),
            problem="is the id of a risk that is in the register without it",
            remedy="choose another id, or override that one",
        )
    left = added.residual
    if left and (left.impact > added.impact or left.probability > added.probability):
        yield Finding(
            places=((*place, "residual"),),
            problem="is higher than the rating before mitigations",
            remedy="raise impact or probability, or lower what is left",
        )
    for n, trigger in enumerate(added.triggers):
        try:
            value_at(file, trigger.limit)
        except NoSuchKey as fault:
            yield Finding(places=((*place, "triggers", n, "limit"),), problem=str(fault), remedy=fault.remedy)


def told_ids(file: MigrationFile) -> tuple[str, ...]:
    """An id for each risk of the migration file, which have titles alone: `told-` and letters and digits of the title.

    Equal ones are numbered, in the order of the file.
    """
    taken: Counter[str] = Counter()
    ids = []
    for risk in file.planning.risks:
        letters = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in risk.title.lower())
        own = "-".join(["told", *letters.split()])[:_ID_LETTERS].rstrip("-")
        taken[own] += 1
        ids.append(own if taken[own] == 1 else f"{own}-{taken[own]}")
    return tuple(ids)
