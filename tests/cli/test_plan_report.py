"""The executive report that `crossfade plan` writes: the example's, and in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from crossfade.planning.decisions.folder import read_records
from tests.browser import browser
from tests.docs.documents import ROOT

LEDGER = ROOT / "examples" / "ledger" / "migration.yaml"
EXAMPLE = ROOT / "examples" / "executive"


def planned(out: Path, *more: str, file: Path = LEDGER) -> Result:
    return CliRunner().invoke(app, ["plan", str(file), "--out", str(out), "--on", "2026-11-23", *more])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("plan") / "out"
    result = planned(out)
    assert result.exit_code == 0, result.output
    yield out
    shutil.rmtree(out)


def test_the_example_is_what_the_command_writes(folder: Path) -> None:
    assert (folder / "report.md").read_bytes() == (EXAMPLE / "report.md").read_bytes()


def test_a_record_to_decide_on_and_playbooks_lie_beside_the_plan(folder: Path) -> None:
    read = read_records(folder / "decisions")
    assert (read.faults, read.names) == ((), {1: "0001-how-the-system-moves.md"})
    of_their_own = CliRunner().invoke(app, ["playbooks", str(LEDGER), "--out", str(folder.parent / "playbooks")])
    assert of_their_own.exit_code == 0, of_their_own.output
    for name in ("playbooks.md", "playbooks.html"):
        assert (folder / name).read_bytes() == (folder.parent / "playbooks" / name).read_bytes()


def test_no_record_is_proposed_where_one_lies_and_no_playbook_for_what_no_file_describes(tmp_path: Path) -> None:
    beside = tmp_path / "migration.yaml"
    shutil.copy(LEDGER, beside)
    assert CliRunner().invoke(app, ["decide", str(beside), "--record"]).exit_code == 0
    assert planned(tmp_path / "out", file=beside).exit_code == 0
    assert not (tmp_path / "out" / "decisions").exists()
    inventory = ROOT / "examples" / "plan" / "inventory.csv"
    told = CliRunner().invoke(app, ["plan", "--inventory", str(inventory), "--out", str(tmp_path / "assumed")])
    assert told.exit_code == 0, told.output
    assert list((tmp_path / "assumed" / "decisions").iterdir())
    assert not (tmp_path / "assumed" / "playbooks.md").exists()


def test_a_price_list_that_is_none_ends_it_with_every_fault(tmp_path: Path) -> None:
    costs = tmp_path / "costs.json"
    costs.write_text('{"currency": 1, "components": [{"component": "x"}], "notes": []}')
    result = planned(tmp_path / "out", "--costs", str(costs))
    assert result.exit_code == 2
    assert "currency" in result.output
    assert "components[0].quantity" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parts
def test_a_browser_finds_nothing_wrong_with_any_page_of_the_plan(folder: Path) -> None:
    pages = sorted(folder.glob("*.html"))
    assert {"map.html", "plan.html", "playbooks.html", "risks.html"} <= {page.name for page in pages}
    with browser() as seen:
        for page in pages:
            seen.open(page)
            assert (page.name, seen.complaints, seen.requests) == (page.name, [], [])


@pytest.mark.parts
def test_a_browser_finds_nothing_wrong_and_every_number_leads_somewhere(folder: Path) -> None:
    with browser() as page:
        page.open(folder / "report.html")
        assert (page.complaints, page.requests) == ([], [])
        dangling = "[...document.querySelectorAll('a[href^=\"#\"]')].filter((a) => !document.querySelector(a.hash))"
        assert page.ask(f"{dangling}.length") == 0
        assert page.ask("document.querySelectorAll('a.n').length") > 50
        page.ask("document.querySelector('#summary a.n').click()")
        assert page.ask("document.querySelector('tr:target td').textContent")
