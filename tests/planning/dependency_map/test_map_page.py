"""The page in a real browser: nothing on its console, nothing asked of anybody, and what people do with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.landscape import landscape

from crossfade.planning.applications import find_applications
from crossfade.planning.dependency_map import as_page, picture_of
from crossfade.planning.inventory.records import Inventory, Server
from tests.browser import Page, browser
from tests.planning.applications.inventories import asks, server

pytestmark = pytest.mark.parts
HOSTILE = "</script><img src=x onerror=document.title='run'><!--"
LINES = "document.querySelectorAll('#lines path').length"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as opened:
        yield opened


def drawn(folder: Path, inventory: Inventory, title: str = "Map") -> Path:
    found = find_applications(inventory)
    path = folder / "map.html"
    path.write_text(as_page(picture_of(found, inventory), found, title=title), encoding="utf-8")
    return path


def small() -> Inventory:
    servers: list[Server] = [
        server("web1", applications=("Shop",), environment="prod", wave="1"),
        server("crm1", applications=("Crm",), environment="test", wave="2"),
        server("hr1", applications=("People",), environment="prod"),
        server(HOSTILE, applications=(HOSTILE,), tags=(HOSTILE,), environment=HOSTILE, wave=HOSTILE, owner=HOSTILE),
    ]
    told = (asks("web1", "crm1", 8443, volume_bytes=2**30), asks("web1", "192.0.2.1"))
    return Inventory(servers=tuple(servers), dependencies=told)


def shown(page: Page) -> set[str]:
    return set(page.ask("[...document.querySelectorAll('.card:not([hidden]) b')].map((b) => b.textContent)"))


def chosen(page: Page, control: str, value: str) -> set[str]:
    """What is shown when a filter has a value and the others have none."""
    page.ask(
        "for (const each of document.querySelectorAll('form select, #search')) each.value = '';"
        f"document.getElementById('{control}').value = '{value}';"
        "document.getElementById('filters').dispatchEvent(new Event('input'))"
    )
    return shown(page)


def test_people_search_filter_open_and_move_by_keys(page: Page, tmp_path: Path) -> None:
    page.open(drawn(tmp_path, small()))
    assert {"Crm", "People", "Shop", "outside"} <= shown(page)
    assert page.ask(LINES) == 1  # what is outside only when it is asked for
    page.press("/")
    assert page.ask("document.activeElement.id") == "search"
    page.press("c")
    page.press("r")
    page.press("m")
    assert shown(page) == {"Crm"}
    assert chosen(page, "environment", "prod") & {"Shop", "People", "Crm"} == {"Shop", "People"}
    assert chosen(page, "wave", "2") & {"Shop", "People", "Crm"} == {"Crm"}
    assert chosen(page, "search", "192.0.2.1") == {"outside"}
    chosen(page, "search", "")
    page.ask("[...document.querySelectorAll('.card button')].find((b) => b.textContent.startsWith('Shop')).focus()")
    assert page.ask("document.querySelectorAll('#lines path.out').length") == 2
    page.press("Enter")
    details = page.ask("document.getElementById('details').textContent")
    assert "Crmport 8443, 1 connection, 1 GiB" in details
    page.press("ArrowRight")
    assert page.ask("document.activeElement.querySelector('b').textContent") == "Crm"
    page.press("Escape")
    assert page.ask("document.getElementById('details').hidden") is True
    assert (page.requests, page.complaints) == ([], [])


def test_a_name_that_is_a_script_is_shown_and_not_run(page: Page, tmp_path: Path) -> None:
    page.open(drawn(tmp_path, small(), title=HOSTILE))
    assert page.ask("document.title") == HOSTILE
    assert HOSTILE in shown(page)
    assert page.ask("document.querySelectorAll('img').length") == 0
    assert (page.requests, page.complaints) == ([], [])


def test_a_thousand_servers_are_drawn_without_a_word_on_the_console(page: Page, tmp_path: Path) -> None:
    page.open(drawn(tmp_path, landscape(1_000, 5_000).inventory))
    assert page.ask("document.querySelectorAll('.card').length") > 90
    assert page.ask(LINES) > 20
    assert page.ask("document.documentElement.scrollWidth <= innerWidth") is True  # the map scrolls, not the page
    assert (page.requests, page.complaints) == ([], [])


def test_a_page_that_does_what_it_must_not_would_be_found_out(page: Page, tmp_path: Path) -> None:
    """What the tests above rely on."""
    path = tmp_path / "bad.html"
    path.write_text("<title>a</title><img src='file:///nowhere.png'><script>console.error('no')</script>")
    page.open(path)
    assert "file:///nowhere.png" in page.requests
    assert any("no" in complaint for complaint in page.complaints)
