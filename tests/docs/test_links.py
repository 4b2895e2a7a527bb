from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.docs.documents import ROOT, Document, documents

PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())


def missing(document: Document) -> list[str]:
    """The links of a document that lead nowhere. Links to other hosts are not asked for."""
    lost = []
    for link in document.links:
        if "://" in link or link.startswith("mailto:"):
            continue
        place, _, anchor = link.partition("#")
        target = (document.path.parent / place).resolve() if place else document.path
        exists = target.exists() and target.is_relative_to(ROOT)
        if not exists or (anchor and target.suffix == ".md" and anchor not in Document(target).anchors):
            lost.append(link)
    return lost


@pytest.mark.parametrize("document", documents(), ids=str)
def test_links_lead_somewhere_when_followed(document: Document) -> None:
    assert missing(document) == []


def test_a_link_is_missed_when_file_or_heading_is_not_there(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '# One\n<a id="part-1"></a>[p](#part-1) [a](#one) [b](#two) [c](gone.md) ![d](gone.svg) `[e](code.md)`\n',
        encoding="utf-8",
    )
    document = Document(page)
    assert [link for link in document.links if link.partition("#")[2] not in document.anchors] == [
        "#two",
        "gone.md",
        "gone.svg",
    ]


def test_every_document_is_found_when_reading_begins_at_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        places = (link.partition("#")[0] for link in Document(path).links if "://" not in link)
        waiting += [(path.parent / place).resolve() for place in places if place]
    lost = {str(document) for document in documents() if document.path not in reached}
    assert not lost, "link these from README.md, or from a document that it links to"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_picture_is_small_and_whole_when_shown(picture: Path) -> None:
    assert picture.stat().st_size <= 200_000
    if picture.suffix == ".svg":
        root = ET.fromstring(picture.read_text(encoding="utf-8"))
        assert "viewBox" in root.attrib
        assert not [e for e in root.iter() if e.tag.endswith("script")]
        assert [e for e in root.iter() if e.tag.endswith("title")]
    else:
        assert picture.read_bytes().startswith(b"\x89PNG")
