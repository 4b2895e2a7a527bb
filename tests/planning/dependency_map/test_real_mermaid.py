"""What the map writes as Mermaid, read and drawn by Mermaid itself, in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.landscape import landscape

from crossfade.planning.applications import find_applications
from crossfade.planning.dependency_map import Picture, as_mermaid, picture_of
from crossfade.planning.dependency_map.mermaid import MOST_CARDS, MOST_LINES
from crossfade.planning.dependency_map.reduction import reduced
from crossfade.planning.inventory.reading import read_inventory
from crossfade.planning.inventory.records import Inventory
from tests.browser import Page, browser
from tests.docs.documents import ROOT
from tests.planning.applications.inventories import asks, server

pytestmark = pytest.mark.parts
MERMAID = ROOT / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
HOSTILE = (
    *(f"a{letter}b" for letter in "\"'`#;:%&<>|[](){}\\/-=~^$@!?*.,"),
    *("end", "subgraph", "graph", "click c0 call alert()", "style", "linkStyle 0", "classDef", "default", "o", "x"),
    *("%%{init: {}}%%", "%% not a comment", "--> c0", "c0", "</script><img src=x onerror=alert(1)>", "#35;", "&quot;"),
    *("\x1b[31m", "two\nlines", "über 漢字 🙂", "e\u0301", "\u202eright to left", "-" * 300),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path = tmp_path_factory.mktemp("mermaid") / "page.html"
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><title>a</title><script src="{MERMAID.as_uri()}"></script><main></main>'
    )
    with browser() as opened:
        opened.open(path)
        assert opened.requests == [MERMAID.as_uri()]
        opened.requests.clear()
        opened.ask("mermaid.initialize({startOnLoad: false})")
        yield opened


def drawn(page: Page, text: str) -> dict[str, Any]:
    """The labels of nodes and the number of edges that Mermaid draws of a text."""
    told: dict[str, Any] = page.ask(
        f"""mermaid.render('drawn', {json.dumps(text)}).then(({{svg}}) => {{
          const main = document.querySelector('main');
          main.innerHTML = svg;
          return {{
            nodes: [...main.querySelectorAll('.node')].map((node) => node.textContent.trim()),
            edges: main.querySelectorAll('.edgePaths path').length,
          }};
        }})"""
    )
    return told


def picture(inventory: Inventory) -> Picture:
    return picture_of(find_applications(inventory), inventory)


def assert_whole(page: Page, whole: Picture) -> dict[str, Any]:
    """Every card and line that is to be drawn is, and Mermaid has neither a word on the console nor a request."""
    small = reduced(whole, cards=MOST_CARDS, lines=MOST_LINES)
    found = drawn(page, as_mermaid(whole))
    assert (len(found["nodes"]), found["edges"]) == (len(small.cards) + bool(small.hidden), len(small.lines))
    assert (page.complaints, page.requests) == ([], [])
    return found


def test_names_that_mean_something_to_mermaid_are_drawn_as_names(page: Page) -> None:
    names = HOSTILE
    for start in range(0, len(names), MOST_CARDS):
        part = names[start : start + MOST_CARDS]
        servers = tuple(server(f"s{n}", applications=(name,)) for n, name in enumerate(part))
        told = tuple(asks(f"s{n}", f"s{n + 1}", 443) for n in range(len(part) - 1))
        found = assert_whole(page, picture(Inventory(servers=servers, dependencies=told)))
        shown = [label.removesuffix("1 server") for label in found["nodes"]]
        plain = {" ".join(name.split()) for name in part if len(name) < 40}
        assert plain <= {" ".join(label.split()) for label in shown}
    assert page.ask("document.querySelectorAll('main img, main script').length") == 0
    assert page.ask("document.title") == "a"


def test_a_data_center_that_is_too_large_stays_within_what_mermaid_draws(page: Page) -> None:
    whole = picture(landscape(400, 1_600).inventory)
    assert len(whole.cards) > MOST_CARDS
    assert_whole(page, whole)


@pytest.mark.parametrize("export", ["azure/dependency-export-sample.csv", "konveyor/sample-applications.csv"])
def test_the_map_of_a_real_export_is_drawn(page: Page, export: str) -> None:
    read = read_inventory([ROOT / "tests" / "data" / "inventories" / Path(export)])
    assert_whole(page, picture(read))


def test_a_text_that_is_no_mermaid_is_refused(page: Page) -> None:
    """What the tests above rely on."""
    text = json.dumps("flowchart LR\n  c0[a[b]\n")
    assert page.ask(f"mermaid.parse({text}, {{suppressErrors: true}})") is False
