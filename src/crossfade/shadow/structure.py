"""JSON against JSON by structure: which places differ. The order of keys never matters."""

from collections import Counter
from collections.abc import Hashable
from operator import is_
from typing import Any

from crossfade.shadow.fields import MISSING, Field
from crossfade.shadow.matching import unmatched
from crossfade.shadow.numbers import Number, is_close, same_instant
from crossfade.shadow.rules import FieldRule, Rules

Found = dict[Field, tuple[Any, Any]]
"""Places that differ, each with the values that were met first: of the control, and of the other answer."""

_LOOKED_INTO = frozenset((bool, dict, list))  # for Python [1] equals [True]
_MOST_UNMATCHED = 64  # entries of a list without order whose partners are searched one by one


def differences(left: Any, right: Any, field: Field, rules: Rules, found: Found) -> None:
    """Adds to `found` where `left` and `right` differ; nothing if they are equal by the rules."""
    rule = field.rule
    if rule.ignored:
        return
    if left is MISSING or right is MISSING:
        if not (rules.null_is_missing and (left is None or right is None)):
            found.setdefault(field, (left, right))
        return
    kind = type(left)
    if kind is dict and type(right) is dict:
        _objects(left, right, field, rules, found)
    elif kind is list and type(right) is list:
        (_without_order if rule.unordered else _in_order)(left, right, field, rules, found)
    elif not same_value(left, right, rule):
        found.setdefault(field, (left, right))


def _objects(left: dict[str, Any], right: dict[str, Any], field: Field, rules: Rules, found: Found) -> None:
    if left.keys() != right.keys():
        _other_keys(left, right, field, rules, found)
        return
    children = field.children
    for key, a in left.items():
        b = right[key]
        if a is b:
            continue
        kind = type(a)
        # Short texts that are equal are read as one object: most lists of them need no look at each entry.
        if kind is list and type(b) is list and len(a) == len(b) and all(map(is_, a, b)):
            continue
        if kind is type(b) and kind not in _LOOKED_INTO and a == b:
            continue
        differences(a, b, children.get(key) or field.child(key), rules, found)


def _other_keys(left: dict[str, Any], right: dict[str, Any], field: Field, rules: Rules, found: Found) -> None:
    for key, a in left.items():
        differences(a, right.get(key, MISSING), field.child(key), rules, found)
    for key, b in right.items():
        if key not in left:
            differences(MISSING, b, field.child(key), rules, found)


def _in_order(left: list[Any], right: list[Any], field: Field, rules: Rules, found: Found) -> None:
    if len(left) != len(right):  # nobody knows which entries belong together
        found.setdefault(field, (left, right))
        return
    entry = field.entry
    if entry.rule.ignored:
        return
    for a, b in zip(left, right, strict=True):
        if a is b:
            continue
        if type(a) is dict and type(b) is dict:  # what answers mostly are: spares a call for each
            _objects(a, b, entry, rules, found)
        else:
            differences(a, b, entry, rules, found)


def same_value(left: Any, right: Any, rule: FieldRule) -> bool:
    """Whether two values, not both objects and not both lists, are equal by a rule.

    1 equals 1.0, but neither true nor "1".
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Number) and isinstance(right, Number):
        same = is_close(left, right, rule.relative, rule.absolute)
    else:
        same = type(left) is type(right) and left == right
    return bool(same or (rule.within is not None and same_instant(left, right, rule.within)))


def _without_order(left: list[Any], right: list[Any], field: Field, rules: Rules, found: Found) -> None:
    entry = field.entry
    mine, theirs = _rest(left, right, entry, rules)
    if len(mine) == len(theirs) <= _MOST_UNMATCHED:
        mine, theirs = unmatched(mine, theirs, lambda a, b: are_equal(a, b, entry, rules))
    if len(mine) == len(theirs) == 1:  # one entry was changed: its field can be named
        differences(mine[0], theirs[0], entry, rules, found)
    elif mine or theirs:
        found.setdefault(field, (left, right))


def are_equal(left: Any, right: Any, field: Field, rules: Rules) -> bool:
    """Whether two values are equal by the rules."""
    found: Found = {}
    differences(left, right, field, rules, found)
    return not found


def _rest(left: list[Any], right: list[Any], entry: Field, rules: Rules) -> tuple[list[Any], list[Any]]:
    """The entries of both lists without those that occur in both, each as often as it does."""
    forms = [canonical(value, entry, rules) for value in right]
    left_over = Counter(forms)
    mine = []
    for value in left:
        form = canonical(value, entry, rules)
        if left_over[form] > 0:
            left_over[form] -= 1
        else:
            mine.append(value)
    theirs = []
    for value, form in zip(right, forms, strict=True):
        if left_over[form] > 0:
            left_over[form] -= 1
            theirs.append(value)
    return mine, theirs


def canonical(value: Any, field: Field, rules: Rules) -> Hashable:
    """A form that two values share only if they are equal by the rules; tolerances it does not know."""
    if isinstance(value, dict):
        members = set()
        for key, inner in value.items():
            child = field.child(key)
            if not child.rule.ignored and not (inner is None and rules.null_is_missing):
                members.add((key, canonical(inner, child, rules)))
        return ("object", frozenset(members))
    if isinstance(value, list):
        entry = field.entry
        forms = [canonical(inner, entry, rules) for inner in value]
        return ("set", frozenset(Counter(forms).items())) if field.rule.unordered else ("list", tuple(forms))
    if isinstance(value, bool):
        return ("bool", value)
    return value if value == value else ("NaN",)  # noqa: PLR0124 - NaN alone differs from itself
