"""The executive report that `crossfade plan` writes: the example's, and in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
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


def test_a_price_list_that_is_none_ends_it_with_every_fault(tmp_path: Path) -> None:
    costs = tmp_path / "costs.json"
    costs.write_text('{"currency": 1, "components": [{"component": "x"}], "notes": []}')
    result = planned(tmp_path / "out", "--costs", str(costs))
    assert result.exit_code == 2
    assert "currency" in result.output
    assert "components[0].quantity" in result.output
    assert not (tmp_path / "out").exists()


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
