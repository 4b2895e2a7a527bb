"""The budget: every amount computed, rounded once, traced; what nobody told is missing and never zero."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.planning.executive import Given
from crossfade.planning.executive.budget import Budget
from crossfade.planning.executive.money import Money, rounded, total
from crossfade.planning.executive.prices import PriceFault, read_prices
from tests.planning.executive.plans import COSTS, TEAM, brief_of, prices, told_costs


def amounts(budget: Budget) -> dict[str, int | None]:
    return {line.what: line.amount.whole if line.amount else None for part in budget.parts for line in part.lines}


def test_amounts_are_months_and_days_times_what_was_told() -> None:
    """15 days are 0.4928 months; 11 of them are from Monday to Friday."""
    budget = brief_of(**told_costs()).budget
    assert amounts(budget) == {
        "load balancer": 8,
        "DataSync, once": 25,
        "the data center": 20698,
        "team platform": 4 * 11 * 900,
    }
    assert budget.contingency.shown == "9,050 USD"  # 15 % of 60,331
    assert budget.total.shown == "69,381 USD"
    assert [figure.shown for figure in budget.monthly] == ["42,000 USD", "16 USD", "41,984 USD"]
    assert budget.lacks == ()


def test_what_nobody_told_is_lacking_and_not_zero() -> None:
    budget = brief_of(given=Given()).budget
    assert amounts(budget) == {"AWS components": None, "the data center": None, "people": None}
    assert (budget.total.shown, budget.contingency.shown, budget.kept_for) == ("not known", "not known", ())
    assert "the data center" in budget.total.computed
    assert {figure.shown for figure in budget.monthly} == {"not known"}


def test_the_total_says_what_it_lacks_when_a_day_of_a_team_has_no_price() -> None:
    budget = brief_of(**told_costs(planning__teams=[TEAM | {"daily_rate": 0}])).budget
    assert budget.lacks == ("team platform",)
    assert budget.total.says == "budget, as far as it is known"
    assert "team platform" in budget.total.computed


def test_dollars_are_not_added_to_other_money_when_no_rate_is_told() -> None:
    budget = brief_of(**told_costs(planning__costs=COSTS | {"currency": "EUR"})).budget
    assert budget.lacks == ("load balancer", "DataSync")
    changed = COSTS | {"currency": "EUR", "usd_rate": 2.0}
    assert amounts(brief_of(**told_costs(planning__costs=changed)).budget)["DataSync, once"] == 50


def test_days_that_were_told_count_instead_of_the_calendar() -> None:
    brief = brief_of(**told_costs(planning__teams=[TEAM | {"days": 30}]))
    assert amounts(brief.budget)["team platform"] == 4 * 30 * 900
    assert brief.work[0].days_figure.places == ("m.yaml:22 planning.teams[0].days",)


def test_what_is_paid_once_and_a_month_is_added_by_name() -> None:
    changed = COSTS | {"once": {"licences": 1000}, "monthly": {"support": 3043.75}}
    budget = brief_of(**told_costs(planning__costs=changed)).budget
    assert amounts(budget)["licences"] == 1000
    assert amounts(budget)["support"] == 1500  # 15 days


@settings(max_examples=40, deadline=None)
@given(st.lists(st.fractions(min_value=0, max_value=10**9), max_size=6))
def test_rounded_lines_add_up_and_stay_within_half_a_unit_each(exact: list[Fraction]) -> None:
    lines = [rounded(amount, "USD") for amount in exact]
    assert all(abs(line.whole - amount) <= Fraction(1, 2) for line, amount in zip(lines, exact, strict=True))
    assert total(lines, "USD").whole == sum(line.whole for line in lines)


def test_halves_are_rounded_up_and_currencies_never_mixed() -> None:
    assert [rounded(Fraction(half, 2), "USD").whole for half in (1, 3, 5)] == [1, 2, 3]
    with pytest.raises(ValueError, match="EUR"):
        total([Money(whole=1, currency="EUR")], "USD")


def test_prices_are_the_last_line_of_what_costs_tells() -> None:
    found = prices()
    assert [(one.name, one.amount, one.once) for one in found.components] == [
        ("load balancer", Fraction("16.43"), False),
        ("DataSync", Fraction(25), True),
    ]
    assert "https://a.example as of 2026-06" in found.components[0].price


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", [""]),
        ("[" * 100_000, [""]),
        ('{"currency": "dollars", "components": [{"component": 1}]}', None),
    ],
)
def test_every_fault_of_a_price_list_is_told(text: str, places: list[str] | None) -> None:
    found = read_prices(text, "costs.json")
    assert isinstance(found, tuple)
    told = [fault.place for fault in found]
    assert all(isinstance(fault, PriceFault) and fault.remedy for fault in found)
    if places is None:
        assert {"currency", "notes", "components[0].component", "components[0].once"} <= set(told)
    else:
        assert told == places
