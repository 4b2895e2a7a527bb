"""The project's documents, taken apart: links, headings, fenced blocks, code spans, prose."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE
)
_SPAN = re.compile(r"(?P<ticks>`+)(?P<text>.+?)(?P=ticks)", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)|(?:src|href|srcset)=\"(?P<html>[^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    language: str
    text: str


@dataclass(frozen=True)
class Document:
    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(Block(m["language"], m["text"]) for m in _FENCE.finditer(self.text))

    @cached_property
    def without_blocks(self) -> str:
        return _FENCE.sub("", self.text)

    @property
    def spans(self) -> Iterator[str]:
        """What stands between backticks, within a line or over its end."""
        for found in _SPAN.finditer(self.without_blocks):
            yield " ".join(found["text"].split())

    @property
    def prose(self) -> str:
        """The text that is neither block nor code span nor the target of a link."""
        return re.sub(r"\]\([^)]*\)", "]", _SPAN.sub("", self.without_blocks))

    @property
    def links(self) -> Iterator[str]:
        for found in _LINK.finditer(_SPAN.sub("", self.without_blocks)):
            yield found["target"] or found["html"]

    @cached_property
    def anchors(self) -> frozenset[str]:
        """As usual renderers make them: lower case, no punctuation, hyphens for blanks; and those written by hand."""
        named = re.findall(r'<a id="([\w-]+)"></a>', self.without_blocks)
        titles = (re.sub(r"[`*]", "", found["text"]) for found in _HEADING.finditer(self.without_blocks))
        made = (re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)
        return frozenset((*made, *named))


def documents() -> tuple[Document, ...]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return tuple(Document(path) for path in sorted(paths))
