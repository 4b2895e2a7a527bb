"""XML from somebody else, read without what makes XML dangerous. Pure.

A document type is refused, and with it every entity that could be expanded or fetched. Size and depth are limited.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from crossfade.model.file import Fault

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
"""Far more than a VPN's configuration needs: 8 kB, five levels."""


@dataclass(slots=True, kw_only=True)
class Element:
    """An element with its place in the text, counted from 1."""

    name: str
    line: int
    column: int
    within: str
    """Names from the root, with their numbers where there are several: `vpn_connection/ipsec_tunnel[2]`."""
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, name: str) -> list["Element"]:
        return [child for child in self.children if child.name == name]

    def at(self, way: str) -> "Element | None":
        """The only element at that way below this one (`bgp/asn`); None if there is none, or more than one."""
        here = self
        for name in way.split("/"):
            found = here.all(name)
            if len(found) != 1:
                return None
            here = found[0]
        return here


class _Refused(Exception):
    """Ends the parser early."""


def read_xml(content: bytes) -> Element | Fault:
    """The root element, or why there is none. No text of the document is repeated in the fault."""
    if len(content) > MAX_BYTES:
        return _fault(1, 1, "is larger than 256 kB", _DOWNLOAD)
    parser = expat.ParserCreate()
    reading = _Reading(parser)
    try:
        parser.Parse(content, True)
    except _Refused as refusal:
        problem, remedy = refusal.args
        return _fault(parser.CurrentLineNumber, parser.CurrentColumnNumber + 1, problem, remedy)
    except expat.ExpatError as error:
        problem = f"is no sound XML: {expat.ErrorString(error.code)}"
        return _fault(error.lineno, error.offset + 1, problem, _DOWNLOAD)
    except (ValueError, LookupError):  # an encoding that Python does not know
        return _fault(1, 1, "is in an encoding that cannot be read", _DOWNLOAD)
    assert reading.root is not None
    return reading.root


_DOWNLOAD = "save it as AWS gives it: aws ec2 describe-vpn-connections, CustomerGatewayConfiguration"


def _fault(line: int, column: int, problem: str, remedy: str) -> Fault:
    return Fault(line=line, column=column, path="", problem=problem, remedy=remedy)


class _Reading:
    """Builds the tree as the parser goes."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self._open: list[Element] = []
        self.root: Element | None = None
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        raise _Refused("has a document type, which could expand without end or fetch files", _DOWNLOAD)

    def _start(self, name: str, _: object) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _Refused(f"is nested deeper than {MAX_DEPTH} elements", _DOWNLOAD)
        parent = self._open[-1] if self._open else None
        within = f"{parent.within}/{name}" if parent else name
        if parent and (before := parent.all(name)):
            within += f"[{len(before) + 1}]"
        element = Element(
            name=name,
            line=self._parser.CurrentLineNumber,
            column=self._parser.CurrentColumnNumber + 1,
            within=within,
        )
        if parent is None:
            self.root = element
        else:
            parent.children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        element.text = element.text.strip()

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text
