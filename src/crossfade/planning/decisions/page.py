"""A record's file, line by line: read without loss, and changed in those lines alone that are to change."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.planning.decisions.record import FieldName, Section

_TITLE = re.compile(r"\ufeff?#[ \t]+(?P<number>\d{1,6})\.[ \t]+(?P<title>.*\S)[ \t]*")
_FIELD = re.compile(r"[-*][ \t]+(?P<name>[A-Za-z][A-Za-z -]{0,40}?)[ \t]*:(?:[ \t]+(?P<value>.*?))?[ \t]*")
_HEADING = re.compile(r"##[ \t]+(?P<heading>.*?)[ \t]*")
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<info>.*)")
_NUMBERS = re.compile(r"\[(?P<linked>\d{1,6})\]\((?P<target>[^)\s]*)\)|(?P<bare>\d{1,6})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A number that a field names, and where its link leads; empty without a link."""

    number: int
    target: str


@dataclass(frozen=True, slots=True)
class Page:
    """A record's lines, each with its end. What is nowhere read stays as it is."""

    lines: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Page":
        return cls(tuple(re.findall(r"[^\n]*\n|[^\n]+", text)))

    @property
    def text(self) -> str:
        """The text that `of` was given, byte for byte, but for lines that were set since."""
        return "".join(self.lines)

    @property
    def head_end(self) -> int:
        """The number of lines before the first section."""
        return next((number for number, _ in self._headings()), len(self.lines))

    def title(self) -> tuple[int, re.Match[str]] | None:
        """The place of the title from 0; it is the first line that says anything, or missing."""
        for place, line in enumerate(self.lines[: self.head_end]):
            if line.strip("\ufeff \t\r\n"):
                found = _TITLE.fullmatch(line.rstrip("\r\n"))
                return (place, found) if found else None
        return None

    def fields(self) -> Iterator[tuple[int, str, str]]:
        """(place from 0, name as written, value) of each field."""
        for place, line in enumerate(self.lines[: self.head_end]):
            if found := _FIELD.fullmatch(line.rstrip("\r\n")):
                yield place, found["name"], found["value"] or ""

    def field(self, name: FieldName) -> tuple[int, str] | None:
        """Place and value of the first field called so, whatever its case."""
        return next(((at, value) for at, told, value in self.fields() if told.lower() == name.lower()), None)

    def links(self, name: FieldName) -> tuple[Link, ...]:
        """The records that a field names."""
        found = self.field(name)
        matches = _NUMBERS.finditer(found[1]) if found else ()
        return tuple(Link(number=int(m["linked"] or m["bare"]), target=m["target"] or "") for m in matches)

    def opening(self) -> str:
        """What stands between the last field, or the title where there is none, and the first section."""
        title = self.title()
        places = [place for place, _, _ in self.fields()] or ([title[0]] if title else [])
        return "".join(self.lines[max(places, default=-1) + 1 : self.head_end])

    def sections(self) -> tuple[Section, ...]:
        """Every section with its body as it stands."""
        found = list(self._headings())
        ends = [*(place for place, _ in found), len(self.lines)][1:]
        return tuple(
            Section(heading=heading, body="".join(self.lines[place + 1 : end]))
            for (place, heading), end in zip(found, ends, strict=True)
        )

    def with_field(self, name: FieldName, value: str) -> "Page":
        """The page with this field set: its line alone changes, or one is put in below the last field."""
        end = "\r\n" if self.lines and self.lines[0].endswith("\r\n") else "\n"
        lines = list(self.lines)
        found = self.field(name)
        if found:
            place = found[0]
            kept = lines[place]
            bullet = kept[: kept.index(":") + 1]
            lines[place] = f"{bullet} {value}{kept[len(kept.rstrip(chr(13) + chr(10))) :]}"
            return Page(tuple(lines))
        places = [place for place, _, _ in self.fields()]
        title = self.title()
        after = max(places) if places else title[0] if title else -1
        line = f"- {name}: {value}{end}"
        if after >= 0 and not lines[after].endswith("\n"):
            lines[after] += end
        lines[after + 1 : after + 1] = [line] if places else [end, line]
        return Page(tuple(lines))

    def _headings(self) -> Iterator[tuple[int, str]]:
        """(place, heading) of each section; what looks like one within a fenced block is none."""
        fence = ""
        for place, line in enumerate(self.lines):
            bare = line.rstrip("\r\n")
            marks = _FENCE.fullmatch(bare)
            if fence:
                if marks and marks["marks"].startswith(fence) and not marks["info"].strip():
                    fence = ""
            elif marks and not (marks["marks"][0] == "`" and "`" in marks["info"]):
                fence = marks["marks"]
            elif found := _HEADING.fullmatch(bare):
                yield place, found["heading"]
