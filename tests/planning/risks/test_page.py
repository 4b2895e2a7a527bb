"""The register as a page: whole, self-contained, and safe whatever stands in a title."""

from xml.etree import ElementTree as ET

import pytest

from crossfade.planning.risks.heatmap import as_svg
from crossfade.planning.risks.page import as_html, as_markdown
from crossfade.planning.risks.rating import Level
from tests.planning.risks.seeing import register_of

HOSTILE = "<script>alert(1)</script> | ## x \x1b[31m\n# y"
RISK = {"title": HOSTILE, "category": "odd", "impact": 4, "probability": 0.9, "owner": HOSTILE, "mitigation": HOSTILE}
REGISTER = register_of(planning__risks=[RISK])


def test_the_page_asks_nobody_and_runs_nothing() -> None:
    page = as_html(REGISTER)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not [
        word
        for word in ("http://", "https://", "url(", "@import", "src=")
        if word in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    ]


@pytest.mark.parametrize("write", [as_html, as_markdown], ids=["html", "markdown"])
def test_everything_of_a_risk_is_on_the_page(write: object) -> None:
    assert callable(write)
    page = write(REGISTER)
    for risk in REGISTER.open:
        assert risk.id in page
        for text in (*risk.contingencies, *(one.path for one in risk.mitigations), *(t.path for t in risk.triggers)):
            assert text.replace("'", "&#39;") in page or text in page


def test_a_title_opens_neither_tag_nor_heading_in_markdown() -> None:
    page = as_markdown(REGISTER)
    assert "<script" not in page
    assert "\x1b" not in page
    assert [line for line in page.splitlines() if line.startswith("# ")] == ["# Risks of ledger"]
    rows = [line for line in page.splitlines() if line.startswith("| ") and "alert" in line]
    assert [line.replace("\\|", "").count("|") for line in rows] == [8]


def test_the_map_stands_alone_with_colours_for_light_and_dark() -> None:
    svg = ET.fromstring(as_svg(REGISTER))
    names = {"s": "http://www.w3.org/2000/svg"}
    rects = svg.findall("s:rect", names)
    assert len(rects) == 2 * 16
    assert {rect.get("class") for rect in rects} == set(Level)
    style = svg.findtext("s:style", "", names)
    light, dark = style.split("prefers-color-scheme: dark")
    assert all(f".heat .{level} {{" in part for level in Level for part in (light, dark))
    numbers = " ".join(t.text or "" for t in svg.findall("s:text[@class='numbers']", names)).split()
    assert sorted(numbers) == sorted(str(n) for n in range(1, len(REGISTER.open) + 1) for _ in range(2))


def test_a_map_needs_no_colours_to_be_read() -> None:
    texts = [t.text for t in ET.fromstring(as_svg(REGISTER)).iter() if t.get("class") == "score"]
    assert texts.count("3.6 critical") == 2
    assert len(texts) == 32
