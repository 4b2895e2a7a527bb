"""The places that were met so far, as a tree; each knows its rule, so rules are asked once and not for each pair."""

from typing import Final

from crossfade.shadow.paths import ANY, Parts, name_of
from crossfade.shadow.rules import FieldRule, Rules

MAX_FIELDS = 10_000


class Missing:
    """No value at all, which is not null."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()


class Field:
    """A place in an answer. All entries of a list are one place, `*`, and so are all keys that are data."""

    __slots__ = ("_tree", "children", "parts", "path", "rule")

    def __init__(self, parts: Parts, rule: FieldRule, tree: "FieldTree") -> None:
        self.parts, self.path, self.rule, self._tree = parts, ".".join(parts), rule, tree
        self.children: dict[str, Field] = {}

    def child(self, key: str) -> "Field":
        """The place of what stands under `key`; this place itself where there are too many fields already."""
        found = self.children.get(key)
        return found if found is not None else self._tree.grown(self, key)

    @property
    def entry(self) -> "Field":
        """The place of a list's entries."""
        return self.child(ANY)


class FieldTree:
    """All places met, at most 10,000: what comes then is counted where it hangs, and `is_full` says so."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.root = Field((), FieldRule(), self)
        self.is_full = False
        self._count = 0

    def grown(self, above: Field, key: str) -> Field:
        """The place for a key that has none of its own yet."""
        name = ANY if above.rule.keys_are_data else name_of(key)
        found = above.children.get(name)
        if found is not None:
            return found
        if self._count >= MAX_FIELDS:
            self.is_full = True
            return above
        self._count += 1
        parts = (*above.parts, name)
        field = above.children[name] = Field(parts, self.rules.at(parts, above.rule), self)
        return field
