"""What would turn a decision, held against the ranking itself just before, at and beyond each point."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.planning.decisions.drafting import said
from crossfade.planning.decisions.matrix import Factor, Matrix, Option, Score, dominated, exact, leaders, ranking
from crossfade.planning.decisions.sensitivity import shift_turns, tie_breakers, weight_turns

QUICK = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = st.integers(min_value=0, max_value=20).map(lambda half: Fraction(half, 2))
WEIGHTS = st.integers(min_value=1, max_value=30).map(lambda tenths: Fraction(tenths, 10))
FAR = Fraction(10**9)
HAIR = 1 / FAR


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    factors = [Factor(name=f"f{i}", weight=draw(WEIGHTS)) for i in range(draw(st.integers(1, 4)))]
    options = [
        Option(name=f"o{i}", scores={f.name: Score(value=draw(NUMBERS)) for f in factors})
        for i in range(draw(st.integers(2, 4)))
    ]
    return Matrix(title="m", factors=tuple(factors), options=tuple(options))


def weighted(matrix: Matrix, **weights: Fraction) -> Matrix:
    return replace(matrix, factors=tuple(replace(f, weight=weights.get(f.name, f.weight)) for f in matrix.factors))


def small(**options: tuple[int, ...]) -> Matrix:
    """Options by their scores for the factors a, b … of weight 1 each."""
    names = "abcd"[: len(next(iter(options.values())))]
    return Matrix(
        title="m",
        factors=tuple(Factor(name=name, weight=Fraction(1)) for name in names),
        options=tuple(
            Option(
                name=option,
                scores={name: Score(value=Fraction(value)) for name, value in zip(names, scores, strict=True)},
            )
            for option, scores in options.items()
        ),
    )


@QUICK
@given(matrices())
def test_the_smallest_change_of_a_weight_is_exact_when_there_is_one(matrix: Matrix) -> None:
    """Level at the point, turned a hair beyond it, as before a hair short of it; without a point, never."""
    first = leaders(matrix)
    turns = {turn.factor: turn for turn in weight_turns(matrix)}
    if len(first) > 1:
        assert turns == {}
        return
    for factor in matrix.factors:
        turn = turns.get(factor.name)
        if turn is None or not turn.beyond:
            for weight in (factor.weight / 10**9, FAR):
                assert leaders(weighted(matrix, **{factor.name: weight})) == first
            continue
        hair = turn.change / 10**9
        assert set(leaders(weighted(matrix, **{factor.name: turn.at}))) == {*first, *turn.rivals}
        assert set(leaders(weighted(matrix, **{factor.name: turn.at + hair}))) <= set(turn.rivals)
        assert leaders(weighted(matrix, **{factor.name: turn.at - hair})) == first
        opposite = factor.weight - turn.change + hair
        if opposite > 0:  # as large a change the other way turns nothing
            assert leaders(weighted(matrix, **{factor.name: opposite})) == first


@QUICK
@given(matrices())
def test_moving_weight_between_two_factors_turns_the_decision_exactly_where_told(matrix: Matrix) -> None:
    first = leaders(matrix)
    told = {(turn.source, turn.target): turn for turn in shift_turns(matrix)}
    assert len(first) == 1 or told == {}
    for source, target in permutations(matrix.factors, 2):
        turn = told.get((source.name, target.name))

        def after(amount: Fraction, source: Factor = source, target: Factor = target) -> tuple[str, ...]:
            moved = {source.name: source.weight - amount, target.name: target.weight + amount}
            return leaders(weighted(matrix, **moved))

        if len(first) == 1:
            assert after((turn.amount if turn else source.weight) * (1 - HAIR)) == first
        if turn:
            assert turn.amount < source.weight
            assert set(after(turn.amount * (1 + HAIR))) <= set(turn.rivals)


@QUICK
@given(matrices())
def test_a_dominated_option_never_leads_alone(matrix: Matrix) -> None:
    for option, better in dominated(matrix):
        for factor in matrix.factors:
            changed = weighted(matrix, **{factor.name: FAR})
            assert leaders(changed) != (option,)
            places = {standing.option: standing.place for standing in ranking(changed)}
            assert places[better] <= places[option]


def test_a_tie_is_said_and_nothing_is_called_its_turn() -> None:
    tied = small(one=(6, 2, 5), two=(2, 6, 5), three=(1, 1, 1))
    assert leaders(tied) == ("one", "two")
    assert [standing.place for standing in ranking(tied)] == [1, 1, 3]
    assert (weight_turns(tied), shift_turns(tied)) == ((), ())
    assert tie_breakers(tied) == {"a": ("one",), "b": ("two",)}


def test_a_tie_of_tenths_is_a_tie_although_doubles_would_differ() -> None:
    scores = [{"a": 1, "b": 2, "c": 0}, {"a": 0, "b": 0, "c": 1}]
    weights = {"a": 0.1, "b": 0.1, "c": 0.3}
    assert 0.1 + 2 * 0.1 != 0.3
    matrix = Matrix(
        title="m",
        factors=tuple(Factor(name=name, weight=exact(weight)) for name, weight in weights.items()),
        options=tuple(
            Option(name=f"o{i}", scores={name: Score(value=Fraction(value)) for name, value in one.items()})
            for i, one in enumerate(scores)
        ),
    )
    assert leaders(matrix) == ("o0", "o1")


def test_a_factor_that_can_only_bring_a_tie_says_so() -> None:
    matrix = small(one=(5, 3), two=(4, 3))
    (turn,) = weight_turns(matrix)
    assert (turn.factor, turn.at, turn.beyond, turn.rivals) == ("a", Fraction(), False, ("two",))


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (Fraction(7), "7"),
        (Fraction(13, 2), "6.5"),
        (Fraction(20, 3), "6.67"),
        (Fraction(1, 10**9), "1e-09"),
        (Fraction(), "0"),
    ],
)
def test_a_number_is_told_so_that_it_is_not_taken_for_nothing(number: Fraction, told: str) -> None:
    assert said(number) == told


def test_no_turn_is_told_when_there_is_only_one_factor() -> None:
    assert weight_turns(small(one=(5,), two=(4,))) == ()


def test_rivals_are_told_together_when_they_draw_level_at_the_same_weight() -> None:
    (turn,) = [turn for turn in weight_turns(small(one=(9, 1), two=(1, 5), three=(1, 5))) if turn.factor == "b"]
    assert (turn.at, turn.rivals) == (Fraction(2), ("two", "three"))
