"""Differing values as people may see them: masked, unless the settings allow to show them."""

import json
from dataclasses import dataclass
from typing import Any

from crossfade.shadow.fields import MISSING, Field
from crossfade.shadow.masking import Masker
from crossfade.shadow.numbers import Number

_LONGEST = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One pair in which a field differed: the line it stands in, and both values as they may be shown."""

    line: int
    control: str
    candidate: str


def example(line: int, field: Field, control: Any, candidate: Any, masker: Masker) -> Example:
    """An example that repeats no value which the settings do not show."""
    left, right = shown(field, control, masker), shown(field, candidate, masker)
    if not field.rule.shown or field.rule.sensitive:
        right += _apart(field, control, candidate)
    return Example(line=line, control=left, candidate=right)


def shown(field: Field, value: Any, masker: Masker) -> str:
    """What may be said of a value: its kind and mask; itself where its field is shown and not sensitive."""
    if value is MISSING or value is None:
        return "missing" if value is MISSING else "null"
    if isinstance(value, list):
        return f"list of {len(value)}"
    if isinstance(value, dict):
        return f"object of {len(value)}"
    if field.rule.shown and not field.rule.sensitive:
        text = masker.text(value) if isinstance(value, str) else str(value)
        return _printable(json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text)
    kind = "text" if isinstance(value, str) else "true or false" if isinstance(value, bool) else "number"
    return f"{kind} {masker.value(field.path, value)}"


def _apart(field: Field, control: Any, candidate: Any) -> str:
    """How far two masked numbers are apart, as a part of the larger one, which tells neither."""
    if field.rule.sensitive or isinstance(control, bool) or isinstance(candidate, bool):
        return ""
    if not (isinstance(control, Number) and isinstance(candidate, Number)):
        return ""
    try:
        apart = abs(float(control) - float(candidate)) / max(abs(float(control)), abs(float(candidate)))
    except (OverflowError, ZeroDivisionError):
        return ""
    return f" ({100 * apart:.2g} % apart)" if apart < 1 else ""


def _printable(text: str) -> str:
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}…"
