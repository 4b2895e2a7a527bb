"""What docs/deploy.md shows of the reference case: tables and a sum, made from the code.

`python -m tests.infra.published` writes them anew; tests hold the document to them.
"""

import re
import tempfile
from pathlib import Path

from crossfade.infra.estimate.costs import costs, monthly
from crossfade.infra.estimate.quotas import quotas
from crossfade.infra.estimate.resources import read_resources
from crossfade.infra.estimate.tables import COST_HEADINGS, QUOTA_HEADINGS, cost_rows, quota_rows
from crossfade.infra.estimate.tables import as_markdown as table
from crossfade.infra.premises.firewall import as_markdown, openings
from crossfade.infra.premises.router import router
from crossfade.infra.synthesis import synthesise
from tests.docs.documents import ROOT
from tests.infra.templates import reference

DEPLOY = ROOT / "docs" / "deploy.md"
_SUM = re.compile(r"\*\*[\d,]+ USD a month\*\*")


def firewall_table() -> str:
    file = reference()
    return as_markdown(openings(file, router(file)))


def cost_table(templates: Path) -> str:
    return table(COST_HEADINGS, cost_rows(costs(reference(), read_resources(templates))))


def quota_table(templates: Path) -> str:
    return table(QUOTA_HEADINGS, quota_rows(quotas(reference(), read_resources(templates))))


def month(templates: Path) -> str:
    return f"**{monthly(costs(reference(), read_resources(templates))):,.0f} USD a month**"


def shown(name: str) -> str:
    """The table of that name, as the document has it."""
    found = _table(name).search(DEPLOY.read_text(encoding="utf-8"))
    assert found, f"docs/deploy.md has no place for {name}"
    return found["table"]


def _table(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- generated: {name} -->\n)(?P<table>(?:\|[^\n]*\n)+)")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        templates = synthesise(reference(), Path(folder) / "cdk.out").folder
        tables = {
            "firewall": firewall_table(),
            "costs": cost_table(templates),
            "quotas": quota_table(templates),
        }
        text = _SUM.sub(month(templates), DEPLOY.read_text(encoding="utf-8"))
    for name, content in tables.items():
        text = _table(name).sub(content.replace("\\", r"\\"), text)
    DEPLOY.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
