"""The report: whole, self-contained, each number traced, and safe whatever a name says."""

import re
from collections import Counter

import pytest

from crossfade.model.terms import Phase
from crossfade.planning.executive import Brief, as_html, as_markdown
from crossfade.planning.executive.phases import TOLD
from crossfade.planning.executive.traced import Traces
from tests.planning.executive.plans import brief_of, told_costs

HOSTILE = "<script>alert(1)</script> | ## x \x1b[31m\n# y"


@pytest.fixture(scope="module")
def brief() -> Brief:
    return brief_of(**told_costs())


@pytest.mark.parametrize("write", [as_html, as_markdown], ids=["html", "markdown"])
def test_each_number_leads_to_its_computation(write: object, brief: Brief) -> None:
    assert callable(write)
    page = write(brief)
    leads = set(re.findall(r'(?:href="|\]\()#(n-[\w-]+)', page))
    there = Counter(re.findall(r'id="(n-[\w-]+)"', page))
    assert leads == set(there)
    assert set(there.values()) == {1}
    assert len(leads) > 60


def test_every_link_within_the_page_has_its_end(brief: Brief) -> None:
    page = as_html(brief)
    ids = Counter(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(ids.values()) == {1}


def test_numbers_of_the_file_name_their_line_and_those_of_the_inventory_their_row(brief: Brief) -> None:
    places = {figure.key: figure.places for figure in brief.figures}
    assert places["line-source"] == ("m.yaml:24 planning.costs.current_monthly",)
    assert places["wave-1-1"] == ("servers.csv:2",)
    assert places["line-aws-0"] == ("costs.json components[0]",)
    assert places["phase-2-trigger-1"] == ("m.yaml limits.max_p95 (left to the default)",)


def test_the_page_asks_nobody_and_runs_nothing(brief: Brief) -> None:
    page = as_html(brief)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src=|url\(|@import|href="(?!#))', page)


def test_the_same_plan_gives_the_same_bytes(brief: Brief) -> None:
    again = brief_of(**told_costs())
    assert (as_html(again), as_markdown(again)) == (as_html(brief), as_markdown(brief))


@pytest.mark.parametrize("write", [as_html, as_markdown], ids=["html", "markdown"])
def test_a_name_opens_neither_tag_nor_heading(write: object) -> None:
    assert callable(write)
    criteria = {"planning__success_criteria": [HOSTILE.replace("\x1b", "").replace("\n", " ")]}
    page = write(brief_of(HOSTILE, "ledger", **told_costs(**criteria)))
    assert "<script" not in page
    assert "\x1b" not in page.replace("&#27;", "") or write is as_html
    if write is as_markdown:
        assert [line for line in page.splitlines() if line.startswith("# ")] == ["# Migration plan of ledger"]


def test_what_is_not_known_is_said_in_words(brief: Brief) -> None:
    page = as_markdown(brief)
    assert "Not known of 2 of 2: sizes. Remedy: give an export with disks." in page
    assert "| shop | [1](#n-wave-1-1) | not known |" in page


def test_the_three_phases_hold_each_phase_of_the_runbook_once() -> None:
    assert [phase for told in TOLD for phase in told.phases] == list(Phase)


def test_success_and_triggers_are_limits_of_the_file() -> None:
    told = brief_of(**told_costs(limits__max_p95="321ms", shadow__enabled=True)).phases
    assert "321ms" in {one.figure.shown for one in told[1].triggers}
    assert any("answers differ" in one.after for one in told[1].triggers)
    without = brief_of(**told_costs()).phases
    assert not any("answers differ" in one.after for one in without[1].triggers)


def test_phases_begin_and_end_with_those_of_the_waves(brief: Brief) -> None:
    assert [(one.begins.shown, one.ends.shown) for one in brief.phases] == [
        ("2027-01-04", "2027-01-16"),
        ("2027-01-09", "2027-01-16"),
        ("2027-01-09", "2027-01-18"),
    ]


def test_two_numbers_cannot_share_an_anchor() -> None:
    traces = Traces()
    traces.add("one", "", "1", "")
    with pytest.raises(ValueError, match="one"):
        traces.missing("one", "", "")
