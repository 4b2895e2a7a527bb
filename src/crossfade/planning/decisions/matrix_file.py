"""A decision as a strict YAML file: factors, options with a reason for each score, and what a record needs beside."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from crossfade.model.file.fault import Fault
from crossfade.model.file.rules.finding import Finding, unique
from crossfade.model.file.section import Section
from crossfade.model.file.strict import read_section
from crossfade.model.file.texts import Slug, Text
from crossfade.planning.decisions.matrix import Factor, Matrix, Option, Score, exact

Weight = Annotated[float, Field(gt=0, le=1_000_000)]


class FactorEntry(Section):
    """What options are looked at for."""

    name: Slug
    """Name of the factor."""
    weight: Weight
    """How much it counts; only the ratio to the other weights matters."""
    says: str = ""
    """What a high score means."""


class ScoreEntry(Section):
    """How good an option is by one factor, and why."""

    score: Annotated[float, Field(ge=0, le=10)]
    """0 to 10."""
    because: Text
    """Why."""


class OptionEntry(Section):
    """Something that can be chosen."""

    name: Slug
    """Name of the option."""
    says: str = ""
    """What it is, in a sentence."""
    scores: dict[Slug, ScoreEntry]
    """A score for each factor, by the factor's name."""


class DecisionFile(Section):
    """A decision that is to be made, and how."""

    version: Literal[1]
    """Version of this format: 1."""
    title: Text
    """What is decided."""
    context: str = ""
    """Why it must be decided, for the record."""
    factors: Annotated[tuple[FactorEntry, ...], Field(min_length=1, max_length=100)]
    """What counts."""
    options: Annotated[tuple[OptionEntry, ...], Field(min_length=2, max_length=100)]
    """What can be chosen."""
    deciders: tuple[Text, ...] = ()
    """Who decides, for the record."""
    success_criteria: tuple[Text, ...] = ()
    """By what one will see that it was right."""
    review: date | None = None
    """When the decision is looked at again."""

    def matrix(self) -> Matrix:
        """Factors and options with exact numbers."""
        return Matrix(
            title=" ".join(self.title.split()),
            factors=tuple(
                Factor(name=factor.name, weight=exact(factor.weight), says=factor.says) for factor in self.factors
            ),
            options=tuple(
                Option(
                    name=option.name,
                    says=option.says,
                    scores={
                        name: Score(value=exact(entry.score), because=entry.because)
                        for name, entry in option.scores.items()
                    },
                )
                for option in self.options
            ),
        )


def read_decision(text: str, name: str) -> DecisionFile | tuple[Fault, ...]:
    """The decision that `text` (YAML) describes, or all its faults, ordered by place."""
    return read_section(text, name, DecisionFile, _findings)


def _findings(file: DecisionFile) -> Iterator[Finding]:
    yield from unique(("factors",), "name", (factor.name for factor in file.factors))
    yield from unique(("options",), "name", (option.name for option in file.options))
    names = [factor.name for factor in file.factors]
    for i, option in enumerate(file.options):
        place = ("options", i, "scores")
        if missing := [name for name in names if name not in option.scores]:
            yield Finding(
                places=(place,),
                problem=f"has no score for {', '.join(missing)}",
                remedy="score every factor, or take the factor out",
            )
        for name in option.scores:
            if name not in names:
                yield Finding(
                    places=((*place, name),),
                    problem="is no factor of this decision",
                    remedy=f"write one of {', '.join(names)}",
                )
