"""Options weighed by factors. Exact: weights and scores are fractions, so that a tie is a tie."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

TOP_SCORE = 10
"""Scores reach from 0 to this."""


def exact(number: float) -> Fraction:
    """The number that a person wrote, not the binary one nearest to it: 0.1 is a tenth."""
    return Fraction(str(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """What an option is looked at for. `weight` is above 0; only its ratio to the other weights counts."""

    name: str
    weight: Fraction
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """0 to 10, and why."""

    value: Fraction
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something that can be chosen, with a score for each factor of its matrix, by name."""

    name: str
    scores: Mapping[str, Score]
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """At least two options, at least one factor, and names that differ; readers of files see to it."""

    title: str
    factors: tuple[Factor, ...]
    options: tuple[Option, ...]

    @property
    def total_weight(self) -> Fraction:
        return sum((factor.weight for factor in self.factors), Fraction())

    def option(self, name: str) -> Option:
        """The option called so. Raises KeyError for a name that the matrix does not have."""
        for option in self.options:
            if option.name == name:
                return option
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an option did: `score` from 0 to 10, `place` from 1, the same for those that are equal."""

    option: str
    place: int
    score: Fraction


def weighed(matrix: Matrix, option: Option) -> Fraction:
    """The sum of weight times score; divided by the total weight it is the option's score."""
    return sum((factor.weight * option.scores[factor.name].value for factor in matrix.factors), Fraction())


def ranking(matrix: Matrix) -> tuple[Standing, ...]:
    """All options, best first; equal ones keep the order of the matrix.

    Source: weighted sum model, Fishburn 1967.
    """
    total = matrix.total_weight
    scored = sorted(
        ((weighed(matrix, option) / total, option.name) for option in matrix.options), key=lambda pair: -pair[0]
    )
    scores = [score for score, _ in scored]
    return tuple(Standing(option=name, place=scores.index(score) + 1, score=score) for score, name in scored)


def leaders(matrix: Matrix) -> tuple[str, ...]:
    """The best option, or all that share the first place."""
    return tuple(standing.option for standing in ranking(matrix) if standing.place == 1)


def dominated(matrix: Matrix) -> tuple[tuple[str, str], ...]:
    """(option, a better one) for each option that no weights could make the best alone.

    The better one is at least as good by every factor and better by one.
    """
    found = []
    for option in matrix.options:
        for other in matrix.options:
            margins = [other.scores[f.name].value - option.scores[f.name].value for f in matrix.factors]
            if min(margins) >= 0 and max(margins) > 0:
                found.append((option.name, other.name))
                break
    return tuple(found)
