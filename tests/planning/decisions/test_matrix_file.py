"""Decision files and the decision of a migration file."""

from fractions import Fraction
from typing import Any

import pytest
import yaml

from crossfade.model.file.planning import Decision
from crossfade.planning.decisions.approaches import matrix_of
from crossfade.planning.decisions.matrix import Matrix, leaders
from crossfade.planning.decisions.matrix_file import DecisionFile, read_decision


def entry(score: object = 5) -> dict[str, object]:
    return {"score": score, "because": "it is so"}


def decision(**changes: Any) -> str:
    data: dict[str, Any] = {
        "version": 1,
        "title": "What is done",
        "factors": [{"name": "time", "weight": 0.1}, {"name": "cost", "weight": 2}],
        "options": [
            {"name": "one", "scores": {"time": entry(), "cost": entry(7.5)}},
            {"name": "two", "scores": {"time": entry(), "cost": entry(7)}},
        ],
    }
    return yaml.safe_dump(data | changes, sort_keys=False)


def said(text: str) -> dict[str, str]:
    found = read_decision(text, "decision.yaml")
    assert isinstance(found, tuple)
    assert all(fault.line > 0 and fault.remedy for fault in found)
    return {fault.path: fault.problem for fault in found}


def test_numbers_are_those_that_were_written() -> None:
    found = read_decision(decision(), "decision.yaml")
    assert isinstance(found, DecisionFile)
    matrix = found.matrix()
    assert [factor.weight for factor in matrix.factors] == [Fraction(1, 10), 2]
    assert matrix.option("one").scores["cost"].value == Fraction(15, 2)


def test_all_faults_are_told_together_when_values_do_not_fit() -> None:
    options = [
        {"name": "one", "scores": {"time": entry()}},
        {"name": "one", "scores": {"time": entry(), "cost": entry(), "luck": entry()}},
    ]
    assert said(decision(options=options)) == {
        "options[0].scores": "has no score for cost",
        "options[1].name": "is given twice in the list",
        "options[1].scores.luck": "is no factor of this decision",
    }


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"options": [{"name": "one", "scores": {"time": 5, "cost": entry()}}] * 2}, "options[0].scores.time"),
        ({"factors": [{"name": "time", "weight": 0}]}, "factors[0].weight"),
        ({"factors": []}, "factors"),
        ({"wieghts": {}}, "wieghts"),
        ({"review": "soon"}, "review"),
    ],
)
def test_a_value_is_refused_when_the_schema_does_not_know_it(changes: dict[str, Any], path: str) -> None:
    assert path in said(decision(**changes))


def test_a_score_without_reason_is_refused() -> None:
    one = {"name": "one", "scores": {"time": {"score": 5}, "cost": entry()}}
    assert "options[0].scores.time.because" in said(decision(options=[one, {**one, "name": "two"}]))


def built(**told: Any) -> Matrix:
    found = matrix_of(Decision.model_validate(told))
    assert isinstance(found, Matrix)
    return found


def test_the_three_approaches_are_weighed_with_reasons_when_the_file_says_nothing() -> None:
    matrix = built()
    assert {option.name for option in matrix.options} == {"incremental", "rewrite", "lift-and-shift"}
    assert all(score.because for option in matrix.options for score in option.scores.values())
    assert leaders(matrix) == ("incremental",)


def test_weights_of_the_file_replace_the_built_in_ones() -> None:
    assert leaders(built(weights={"time": 3.0, "cost": 1.0})) == ("lift-and-shift",)


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"weights": {"luck": 1.0}}, "is no factor of the built-in options"),
        ({"options": ({"name": "a", "scores": {"time": 1.0}},), "weights": {"time": 1.0}}, "has one option"),
        ({"options": ({"name": "a", "scores": {"time": 1.0}}, {"name": "b", "scores": {}})}, "has no score for"),
    ],
)
def test_a_decision_that_cannot_be_weighed_is_told(told: dict[str, Any], problem: str) -> None:
    found = matrix_of(Decision.model_validate(told))
    assert isinstance(found, tuple)
    assert problem in found[0].problem
