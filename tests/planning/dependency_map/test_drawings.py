"""SVG and Mermaid: what is drawn, what is said to be left out, and names that would be more than names."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from benchmarks.landscape import landscape

from crossfade.planning.applications import find_applications
from crossfade.planning.applications.records import NodeKind
from crossfade.planning.dependency_map import Picture, as_mermaid, as_page, as_svg, picture_of
from crossfade.planning.dependency_map.arrangement import arranged
from crossfade.planning.dependency_map.reduction import reduced
from crossfade.planning.dependency_map.wording import size_in_words
from crossfade.planning.inventory.records import Dependency, End, Inventory
from tests.planning.applications.inventories import asks, server

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"];click c0 call alert()%%<script>&#x;`]\x1b[31m\n subgraph'


def picture(inventory: Inventory) -> Picture:
    return picture_of(find_applications(inventory), inventory)


def three(name: str = "Shop") -> Picture:
    servers = [server(f"s{n}", applications=(app,)) for n, app in enumerate((name, "Crm", "Erp"))]
    told = (asks("s0", "s1", 443, volume_bytes=2**20), asks("s1", "s2", 5432), asks("s2", "192.0.2.9", 25))
    return picture(Inventory(servers=tuple(servers), dependencies=told))


@pytest.fixture(scope="module")
def thousand() -> Picture:
    return picture(landscape(1_000, 5_000).inventory)


def test_who_asks_stands_left_of_who_answers() -> None:
    drawn = arranged(three())
    column = {drawn.cards[n].title: place for place, each in enumerate(drawn.columns) for n in each}
    assert column["Shop"] < column["Erp"]
    assert drawn.lone == ()


def test_those_of_a_circle_stand_in_one_column_and_what_they_ask_right_of_them() -> None:
    servers = [server(name, applications=(name,)) for name in ("in", "one", "two", "out")]
    told = [asks("in", "one"), asks("one", "two"), asks("two", "one"), asks("two", "out"), asks("in", "out")]
    drawn = arranged(picture(Inventory(servers=tuple(servers), dependencies=tuple(told))))
    assert [{drawn.cards[n].title for n in column} for column in drawn.columns] == [{"in"}, {"one", "two"}, {"out"}]


def test_ends_that_are_no_known_server_are_not_counted_as_servers() -> None:
    ends = (End(told="web.corp", application="Web"), End(server="db", application="Db"))
    drawn = picture(
        Inventory(servers=(server("db"),), dependencies=(Dependency(source=ends[0], destination=ends[1], port=1),))
    )
    assert [size_in_words(card) for card in drawn.cards] == ["1 server", "1 end"]


def test_every_card_stands_once_whatever_it_talks_with(thousand: Picture) -> None:
    drawn = arranged(thousand)
    placed = sorted([*(n for column in drawn.columns for n in column), *drawn.lone])
    assert placed == list(range(len(thousand.cards)))


def test_a_thousand_servers_are_reduced_to_what_can_be_read_and_the_rest_is_counted(thousand: Picture) -> None:
    small = reduced(thousand, cards=40, lines=80)
    kinds = [card.kind for card in small.cards]
    assert kinds.count(NodeKind.APPLICATION) == 40
    assert len(small.lines) <= 80
    assert all(small.cards[line.source].kind is not NodeKind.SERVICE for line in small.lines)
    gone = sum(card.kind is NodeKind.APPLICATION for card in thousand.cards) - 40
    assert small.hidden[0].startswith(f"{gone} smaller applications with ")
    light = int(small.hidden[1].split()[0].replace(",", ""))
    shared = int(small.hidden[2].split()[0].replace(",", ""))
    assert light + shared + len(small.lines) == len(thousand.lines)


def test_the_svg_has_a_card_and_a_line_for_each_and_says_what_it_leaves_out(thousand: Picture) -> None:
    drawing = ET.fromstring(as_svg(thousand))
    cards = [rect for rect in drawing.iter(f"{SVG}rect") if "application" in str(rect.get("class"))]
    lines = [path for path in drawing.iter(f"{SVG}path") if path.get("class") == "line"]
    assert len(cards) == 84
    assert 50 < len(lines) <= 160
    assert any("smaller applications" in str(text.text) for text in drawing.iter(f"{SVG}text"))
    width = float(str(drawing.get("width")))
    assert all(float(str(card.get("x"))) + float(str(card.get("width"))) <= width for card in cards)


def test_mermaid_stays_within_what_mermaid_reads(thousand: Picture) -> None:
    text = as_mermaid(thousand)
    assert len(text) < 50_000
    assert len(re.findall(r"-->|---", text)) <= 500
    assert "not drawn" in text


def test_mermaid_says_who_asks_whom_on_which_port() -> None:
    rows = as_mermaid(three()).splitlines()
    assert '  c2["Shop<br/>1 server"]:::application' in rows
    assert '  c2 -->|"port 443, 1 connection, 1 MiB"| c0' in rows


def test_names_stay_names_in_mermaid() -> None:
    row = next(row for row in as_mermaid(three(HOSTILE)).splitlines() if "click" in row)
    label = row.split('["', 1)[1].rsplit('"]', 1)[0]
    assert not re.search(r'["`<>\[\]&%]|\x1b', label.replace("<br/>", ""))
    assert "#34;#93;#59;click" in label


def test_names_stay_names_in_svg() -> None:
    drawing = ET.fromstring(as_svg(three(HOSTILE)))  # well-formed, whatever the name
    assert not list(drawing.iter(f"{SVG}script"))
    assert "\x1b" not in as_svg(three(HOSTILE))


@pytest.mark.parametrize("draw", [as_svg, as_mermaid])
def test_an_empty_inventory_is_drawn_as_such(draw: object) -> None:
    assert callable(draw)
    assert draw(picture(Inventory()))


def test_the_same_inventory_gives_the_same_bytes_in_whatever_order_it_is_read() -> None:
    inventory = landscape(200, 900).inventory
    turned = replace(inventory, servers=inventory.servers[::-1], dependencies=inventory.dependencies[::-1])
    pages = [as_page(picture(each), find_applications(each), title="a") for each in (inventory, turned)]
    assert pages[0] == pages[1]
    assert as_svg(picture(inventory)) == as_svg(picture(turned))
