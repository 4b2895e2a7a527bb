"""What would turn a decision: found by algebra, not by trying.

Leader and rival differ by D, the sum over factors of weight times d, where d is the leader's score less the rival's.
D is linear in each weight, so the rival draws level where one weight has changed by -D/d, or where D/(d_i - d_j) of
weight has moved from factor i to factor j; beyond that point it leads. Weights stay at 0 or above.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from crossfade.planning.decisions.matrix import Factor, Matrix, Option, leaders, weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightTurn:
    """At the weight `at` of this factor, all others as they are, `rivals` draw level with the leader.

    `beyond`: past it they lead. False only where `at` is 0, as no weight is below that: there it stays a tie.
    """

    factor: str
    weight: Fraction
    at: Fraction
    rivals: tuple[str, ...]

    @property
    def change(self) -> Fraction:
        """By how much the weight changes; below 0: it falls."""
        return self.at - self.weight

    @property
    def beyond(self) -> bool:
        return self.at > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTurn:
    """When more than `amount` of weight moves from one factor to the other, `rivals` lead."""

    source: str
    target: str
    amount: Fraction
    rivals: tuple[str, ...]


def weight_turns(matrix: Matrix) -> tuple[WeightTurn, ...]:
    """For each factor by whose weight alone the decision can be turned, the smallest such change; smallest first.

    A factor that can only bring about a tie, by a weight of 0, is listed as that; one that is not listed turns nothing
    whatever its weight. Without a single leader there is no decision to turn, and the answer is empty.
    """
    turns = [turn for factor in matrix.factors if (turn := _smallest(matrix, factor)) is not None]
    return tuple(sorted(turns, key=lambda turn: (not turn.beyond, abs(turn.change))))


def shift_turns(matrix: Matrix) -> tuple[ShiftTurn, ...]:
    """Each pair of factors between which weight can move so that the decision turns; the smallest amount first."""
    turns = [
        turn
        for source in matrix.factors
        for target in matrix.factors
        if source is not target and (turn := _shift(matrix, source, target)) is not None
    ]
    return tuple(sorted(turns, key=lambda turn: turn.amount))


def tie_breakers(matrix: Matrix) -> dict[str, tuple[str, ...]]:
    """Of a tie: for each factor that tells its options apart, those that more weight on it would favour."""
    tied = [matrix.option(name) for name in leaders(matrix)]
    if len(tied) < 2:
        return {}
    favoured = {}
    for factor in matrix.factors:
        best = max(option.scores[factor.name].value for option in tied)
        names = tuple(option.name for option in tied if option.scores[factor.name].value == best)
        if len(names) < len(tied):
            favoured[factor.name] = names
    return favoured


def _contests(matrix: Matrix) -> Iterator[tuple[Option, Option, Fraction]]:
    """(leader, rival, D) for each rival of a single leader; D is above 0."""
    first = leaders(matrix)
    if len(first) > 1:
        return
    leader = matrix.option(first[0])
    for rival in matrix.options:
        if rival is not leader:
            yield leader, rival, weighed(matrix, leader) - weighed(matrix, rival)


def _smallest(matrix: Matrix, factor: Factor) -> WeightTurn | None:
    at: dict[Fraction, list[str]] = {}
    for leader, rival, ahead in _contests(matrix):
        d = leader.scores[factor.name].value - rival.scores[factor.name].value
        if d and (level := factor.weight - ahead / d) >= 0:
            at.setdefault(level, []).append(rival.name)
    if len(matrix.factors) == 1:
        at.pop(Fraction(), None)  # without any weight there is nothing to decide by
    if not at:
        return None
    level = min(at, key=lambda weight: (weight == 0, abs(weight - factor.weight)))
    return WeightTurn(factor=factor.name, weight=factor.weight, at=level, rivals=tuple(at[level]))


def _shift(matrix: Matrix, source: Factor, target: Factor) -> ShiftTurn | None:
    amounts: dict[Fraction, list[str]] = {}
    for leader, rival, ahead in _contests(matrix):
        d_source, d_target = (
            leader.scores[factor.name].value - rival.scores[factor.name].value for factor in (source, target)
        )
        if d_source > d_target and (amount := ahead / (d_source - d_target)) < source.weight:
            amounts.setdefault(amount, []).append(rival.name)
    if not amounts:
        return None
    amount = min(amounts)
    return ShiftTurn(source=source.name, target=target.name, amount=amount, rivals=tuple(amounts[amount]))
