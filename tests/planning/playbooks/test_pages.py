"""The pages: whole, self-contained, and safe whatever stands in the file."""

import re

import pytest

from crossfade.planning.playbooks.page import as_html, as_markdown
from crossfade.planning.playbooks.records import Component, Playbooks
from tests.docs.documents import ROOT
from tests.planning.playbooks.making import KUBERNETES, LEDGER, playbooks_in, playbooks_of

HOSTILE = "<script>alert(1)</script> | ## x"
CHAPTERS = (
    "The first five minutes",
    "Which way back",
    "The engine is gone",
    "Validation",
    "Communication",
    "Root cause",
)


def test_the_page_asks_nobody_and_runs_nothing() -> None:
    page = as_html(playbooks_in(LEDGER))
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=\"(?!#)", page) == []
    assert not [word for word in ("url(", "@import") if word in page]


@pytest.mark.parametrize("write", [as_html, as_markdown], ids=["html", "markdown"])
def test_each_part_links_to_a_card_of_each_of_its_steps(write: object) -> None:
    assert callable(write)
    page, playbooks = write(playbooks_in(LEDGER)), playbooks_in(LEDGER)
    ids = set(re.findall(r'id="([\w-]+)"', page))
    linked = set(re.findall(r'(?:href="#|\]\(#)([\w-]+)', page))
    headings = {title.lower().replace(" ", "-") for title in CHAPTERS} if write is as_markdown else set()
    assert linked <= ids | headings
    assert {key for part in playbooks.parts for key in part.steps} == set(playbooks.cards) <= linked
    assert all(title in page for title in CHAPTERS)


def test_every_component_is_told_of_where_the_file_has_it() -> None:
    def told(playbooks: Playbooks) -> set[Component]:
        return {card.component for card in (*playbooks.cards.values(), *playbooks.beside)}

    assert told(playbooks_in(LEDGER)) == set(Component) - {Component.KUBERNETES}
    assert told(playbooks_in(KUBERNETES)) == set(Component)
    assert told(playbooks_of(traffic__router="argo", target__containers__image="ledger:1")) == set(Component)


def test_what_people_write_opens_neither_tag_nor_heading() -> None:
    playbooks = playbooks_of(
        planning={"contacts": {"on-call": HOSTILE}}, migration={"name": "ledger", "owner": HOSTILE}
    )
    assert "<script" not in as_html(playbooks)
    page = as_markdown(playbooks)
    assert "<script" not in page
    rows = [row for row in page.splitlines() if row.startswith("| on-call")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [3]
    assert [row for row in page.splitlines() if row.startswith("# ")] == ["# Going back: playbooks of ledger"]


def test_a_shell_takes_what_the_file_names_as_one_word() -> None:
    file = {
        "source": {
            "cidr": "192.168.0.0/16",
            "tiers": [{"name": "web", "role": "web", "servers": 12}],
            "servers": [{"name": "a", "address": "192.168.0.9", "tier": "web"}],
        },
        "checks": {"http": [{"name": "odd", "path": "/$(reboot)'`x`"}]},
    }
    commands = playbooks_of(**file).cards["checks-source"].by_hand
    (told,) = [command.text for command in commands]
    assert told.endswith("'http://192.168.0.9:8080/$(reboot)'\"'\"'`x`'")


def test_people_are_told_by_place_and_not_by_address() -> None:
    mail = {"host": "smtp.corp.example", "sender": "crossfade@corp.example", "to": ["ann@corp.example"]}
    page = as_markdown(playbooks_of(notifications={"email": [mail]}))
    assert "notifications.email.0" in page
    assert "ann@corp.example" not in page


def test_the_example_is_the_one_that_is_written() -> None:
    shown = (ROOT / "examples" / "ledger" / "playbooks.md").read_text(encoding="utf-8")
    assert shown == as_markdown(playbooks_in(LEDGER))
