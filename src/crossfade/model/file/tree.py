"""YAML text as plain data, with the place of everything in it, and faults instead of exceptions.

Bounded in size, depth, aliases and number of values, so that no text can exhaust memory or stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from crossfade.model.file.fault import Fault, dotted

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_ALIASES = 100
MAX_VALUES = 50_000

_TOO_LARGE = 2**63

Path = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + name for name in ("str", "null", "bool", "int", "float", "timestamp", "value")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something begins in the text, from 1; `raw` is the text of a plain (unquoted) scalar."""

    line: int
    column: int
    raw: str | None = None


@dataclass(slots=True, kw_only=True)
class Tree:
    """What the text says. `data` holds only dict, list, str, int, float, bool and None, as JSON does.

    `broken` are the paths whose value could not be read and stands as None.
    """

    data: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)

    @property
    def unreadable(self) -> bool:
        """Whether the text is beyond reading, and its faults are all there is."""
        return () not in self.places or () in self.broken

    def place(self, path: Path) -> Place:
        """The place of `path`, or of the nearest part around it that the text has."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return Place(line=1, column=1)

    def add(self, path: Path, problem: str, remedy: str, at: Place | None = None) -> None:
        at = at or self.place(path)
        self.faults.append(Fault(line=at.line, column=at.column, path=dotted(path), problem=problem, remedy=remedy))


class _TooMuch(yaml.MarkedYAMLError):
    """The text passes a bound."""

    def __init__(self, problem: str, event: yaml.Event) -> None:
        super().__init__(problem=problem)
        self.problem_mark = event.start_mark  # type: ignore[assignment]  # ours is the pure-Python mark


class _Loader(yaml.SafeLoader):
    """Composes nodes with bounds; nothing is constructed but plain scalars."""

    depth = 0
    aliases = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        self.aliases += isinstance(event, yaml.AliasEvent)
        if self.depth > MAX_DEPTH:
            raise _TooMuch(f"is nested deeper than {MAX_DEPTH} levels", event)
        if self.aliases > MAX_ALIASES:
            raise _TooMuch(f"repeats anchors more than {MAX_ALIASES} times", event)
        self.nodes += 1
        if self.nodes > 2 * MAX_VALUES:
            raise _TooMuch(f"has more than {MAX_VALUES} values", event)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def read_tree(text: str, name: str) -> Tree:
    """The data of `text` with places. Syntax faults end it; duplicate and odd keys are all collected."""
    tree = Tree()
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        tree.add((), f"{name} is larger than 1 MB", "keep inventories in files of their own and name them here")
        return tree
    try:
        node = _compose(text)
    except yaml.reader.ReaderError as exc:
        before = text[: exc.position]
        at = Place(line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
        tree.add((), "holds a character that YAML does not allow", "remove it, or save the file as UTF-8 text", at)
        return tree
    except yaml.MarkedYAMLError as exc:
        _add_syntax_fault(tree, exc)
        return tree
    if node is None:
        tree.add((), f"{name} is empty", "begin with what `crossfade init` writes")
        return tree
    tree.data = _Reader(tree).read(node, (), _mark(node))
    return tree


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _add_syntax_fault(tree: Tree, exc: yaml.MarkedYAMLError) -> None:
    mark = exc.problem_mark or exc.context_mark
    at = Place(line=mark.line + 1, column=mark.column + 1) if mark else None
    problem = exc.problem or "cannot be read"
    if isinstance(exc, _TooMuch):
        tree.add(
            (), problem, "keep to the shape that docs/migration-file.md shows; large lists go into an inventory", at
        )
        return
    remedy = "correct the indentation, quotes or colons at this place or in the line before"
    if "'\\t'" in problem:
        remedy = "indent with spaces, never with tabs"
    elif "expected a single document" in f"{exc.context} {problem}":
        problem, remedy = "holds a second document", "remove the line --- and what follows it"
    elif "undefined alias" in problem:
        remedy = "define the anchor before it is repeated, or write the value out"
    tree.add((), f"is not valid YAML: {problem}", remedy, at)


def _mark(node: yaml.Node) -> Place:
    raw = node.value if isinstance(node, yaml.ScalarNode) and node.style is None else None
    return Place(line=node.start_mark.line + 1, column=node.start_mark.column + 1, raw=raw)


class _Reader:
    """Turns nodes into data. A mapping's entry has the place of its key, a list's that of the value."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.scalars = yaml.constructor.SafeConstructor()
        self.values = 0

    def read(self, node: yaml.Node, path: Path, at: Place) -> Any:
        if self.values == MAX_VALUES or len(path) > MAX_DEPTH:
            self.tree.add(
                path, "makes the file too deep or too large", "write it without anchors that repeat each other", at
            )
            self.values = MAX_VALUES + 1
            self.tree.broken.add(())
        self.values += 1
        if self.values > MAX_VALUES:
            return None
        self.tree.places[path] = Place(line=at.line, column=at.column, raw=_mark(node).raw)
        if isinstance(node, yaml.MappingNode):
            return {key: self.read(value, (*path, key), at) for key, value, at in self.entries(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, i), _mark(item)) for i, item in enumerate(node.value)]
        return self.scalar(node, path, at)

    def entries(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node, Place]]:
        """The entries whose keys are texts and stand first; the others become faults."""
        lines: dict[str, int] = {}
        for key_node, value in node.value:
            at = _mark(key_node)
            if key_node.tag == _TAG + "merge":
                self.tree.add(path, "uses a merge key (<<)", "write the values out", at)
            elif not isinstance(key_node, yaml.ScalarNode):
                self.tree.add(path, "has a key that is not a name", "write `name: value`", at)
            elif not _is_text(key_node.value):
                self.tree.add(path, "has a key with characters that are none", "write the name anew", at)
            elif key_node.value in lines:
                here = dotted((*path, key_node.value))
                self.tree.add(
                    (*path, key_node.value),
                    f"is given twice, first in line {lines[key_node.value]}",
                    f"keep one `{here.rsplit('.', 1)[-1]}`",
                    at,
                )
            else:
                lines[key_node.value] = at.line
                yield key_node.value, value, at

    def scalar(self, node: yaml.Node, path: Path, at: Place) -> Any:
        if node.tag not in _PLAIN_TAGS:
            return self.refuse(path, "has a YAML tag", "remove the tag (the word that begins with !)", at)
        if node.tag in {_TAG + "str", _TAG + "value", _TAG + "timestamp"}:
            if _is_text(node.value):
                return node.value
            return self.refuse(path, "holds characters that are none", "write the text anew", at)
        try:
            value = self.scalars.construct_object(node)
        except (ValueError, KeyError, IndexError, OverflowError):
            return self.refuse(path, "is not a value that YAML can read", "write it in quotes if it is a text", at)
        if isinstance(value, int) and abs(value) >= _TOO_LARGE:
            return self.refuse(path, "is too large a number", "write a smaller one, or put it in quotes", at)
        return value

    def refuse(self, path: Path, problem: str, remedy: str, at: Place) -> None:
        self.tree.add(path, problem, remedy, at)
        self.tree.broken.add(path)


def _is_text(value: str) -> bool:
    """Half a surrogate pair, which YAML escapes can spell, is no text."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)
