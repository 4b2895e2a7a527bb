"""Sums, people's words, and the heat map."""

from typing import Any

import pytest
import yaml

from crossfade.model.file.fault import Fault
from crossfade.planning.risks.heatmap import after, before, cells, number_lines
from crossfade.planning.risks.rating import Level, Probability, Rating
from crossfade.planning.risks.register import Origin, Risk
from crossfade.planning.risks.told import RegisterFile, read_register
from tests.model.file.files import sound, with_values
from tests.planning.risks.seeing import register_of

WORD = {"by": "Ann", "on": "2026-11-20", "because": "it is so"}
ADDED = {"id": "rain", "title": "It rains", "category": "weather", "impact": 2, "probability": 0.6, "owner": "Bob"}
TOLD = {"title": "It snows!", "category": "weather", "impact": 3, "probability": 0.3, "owner": "Bob"}


def said(**told: Any) -> RegisterFile:
    found = read_register(yaml.safe_dump({"version": 1, **told}), "r.yaml", sound(with_values()))
    assert isinstance(found, RegisterFile), found
    return found


def faults(changes: dict[str, Any] | None = None, **told: Any) -> dict[str, str]:
    file = sound(with_values(**(changes or {})))
    found = read_register(yaml.safe_dump({"version": 1, **told}, sort_keys=False), "r.yaml", file)
    assert isinstance(found, tuple), found
    assert all(isinstance(one, Fault) and one.line > 0 and one.remedy for one in found)
    return {one.path: one.problem for one in found}


def by_id(*told: Risk) -> dict[str, Risk]:
    return {risk.id: risk for risk in told}


@pytest.mark.parametrize(
    ("impact", "probability", "tenths", "level"),
    [
        (1, 1, 1, Level.LOW),
        (2, 3, 6, Level.MEDIUM),
        (4, 3, 12, Level.HIGH),
        (4, 6, 24, Level.CRITICAL),
        (4, 9, 36, Level.CRITICAL),
    ],
)
def test_a_score_is_impact_times_probability(impact: int, probability: int, tenths: int, level: Level) -> None:
    rating = Rating(impact=impact, probability=Probability(probability))
    assert (rating.tenths, rating.score, rating.level) == (tenths, tenths / 10, level)


def test_steps_down_end_at_the_end_of_the_scale() -> None:
    low = Rating(impact=4, probability=Probability.EXPECTED).lowered(impact=9, probability=1)
    assert low == Rating(impact=1, probability=Probability.LIKELY)
    assert low.lowered(probability=7).tenths == 1


def test_sums_are_those_of_open_risks() -> None:
    register = register_of(said=said(add=[ADDED], close=[{"id": "differences", **WORD}]))
    total = register.overall()
    assert total.count == len(register.open) == len(register.risks) - 1
    assert total.score == pytest.approx(sum(risk.rating.score for risk in register.open))
    assert total.residual == pytest.approx(sum(risk.residual.score for risk in register.open))
    assert sum(one.count for one in register.by_category()) == total.count
    weather = next(one for one in register.by_category() if one.name == "weather")
    assert (weather.score, weather.highest, weather.residual) == (1.2, 1.2, 1.2)
    assert len(register.top) == 5
    assert min(r.residual.tenths for r in register.top) >= max(
        r.residual.tenths for r in register.open if r not in register.top
    )


def test_people_add_close_and_override() -> None:
    register = register_of(
        said=said(
            add=[
                {
                    **ADDED,
                    "residual": {"impact": 1, "probability": 0.1},
                    "triggers": [{"says": "wet", "limit": "limits.max_p95"}],
                }
            ],
            close=[{"id": "differences", **WORD}],
            override=[{"id": "long-transactions", "impact": 4, "owner": "Eve", **WORD}],
        ),
        planning__risks=[TOLD, TOLD],
    )
    risks = by_id(*register.risks)
    assert (risks["rain"].origin, risks["rain"].residual.tenths, risks["rain"].triggers[0].value) == (
        Origin.TOLD,
        1,
        "500ms",
    )
    assert risks["told-it-snows"].rating == risks["told-it-snows-2"].rating
    assert risks["told-it-snows"].evidence[0].place.endswith("planning.risks[0]")
    assert [risk.id for risk in register.closed] == ["differences"]
    changed, plain = risks["long-transactions"], by_id(*register_of().risks)["long-transactions"]
    assert (changed.rating.impact, changed.owner, changed.owner_assumed) == (4, "Eve", False)
    assert changed.residual == Rating(impact=4, probability=plain.residual.probability)


def test_words_are_kept_when_nothing_shows_their_risk_any_more() -> None:
    words = said(close=[{"id": "no-shadow", **WORD}], override=[{"id": "short-bake", "impact": 1, **WORD}])
    register = register_of(said=words, shadow__enabled=True)
    assert [(one.id, one.what, one.word.because) for one in register.no_longer_found] == [
        ("short-bake", "overridden", "it is so"),
        ("no-shadow", "closed", "it is so"),
    ]
    assert register_of(said=words, shadow__enabled=False).no_longer_found[0].id == "short-bake"


def test_all_faults_of_peoples_file_are_told_together() -> None:
    assert faults(
        {"planning__risks": [TOLD]},
        add=[
            {**ADDED, "id": "no-shadow"},
            {**ADDED, "id": "told-it-snows"},
            {**ADDED, "triggers": [{"says": "x", "limit": "limits.max_p99"}]},
            {**ADDED, "residual": {"impact": 3, "probability": 0.1}},
        ],
        close=[{"id": "no-shdow", **WORD}],
        override=[{"id": "no-shadow", **WORD}],
    ) == {
        "add[0].id": "is the id of a risk that is in the register without it",
        "add[1].id": "is the id of a risk that is in the register without it",
        "add[2].triggers[0].limit": "the migration file has no key limits.max_p99",
        "add[3].id": "is given twice in the list",
        "add[3].residual": "is higher than the rating before mitigations",
        "close[0].id": "is no risk that is known",
        "override[0]": "overrides nothing",
    }


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ({"add": [{**ADDED, "probability": 0.5}]}, "add[0].probability"),
        ({"add": [{**ADDED, "impact": 5}]}, "add[0].impact"),
        ({"close": [{"id": "no-shadow"}]}, "close[0].because"),
        ({"remove": []}, "remove"),
    ],
)
def test_a_value_is_refused_when_the_schema_does_not_know_it(told: dict[str, Any], path: str) -> None:
    assert path in faults(**told)


def test_every_open_risk_stands_in_one_cell_of_each_map() -> None:
    register = register_of(said=said(close=[{"id": "differences", **WORD}]))
    for of in (before, after):
        placed = {n: cell.rating for row in cells(register, of) for cell in row for n in cell.numbers}
        assert placed == {n: of(risk) for n, risk in enumerate(register.open, start=1)}


def test_a_full_cell_counts_what_it_cannot_show() -> None:
    assert number_lines(range(1, 13)) == ["1 2 3 4 5 6", "7 8 9 10 11 12"]
    assert number_lines(range(1, 31)) == ["1 2 3 4 5 6", "7 8 9 10 +20"]
