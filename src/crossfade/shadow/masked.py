"""Answers as they may be stored: the same shape, without what is personal or secret."""

from decimal import Decimal
from typing import Any

from crossfade.shadow.answers import as_json
from crossfade.shadow.fields import MISSING, Field, FieldTree
from crossfade.shadow.masking import Masker
from crossfade.shadow.pair import Answer
from crossfade.shadow.paths import ANY, BODY, HEADERS


def masked_answer(answer: Answer, tree: FieldTree, masker: Masker) -> Answer:
    """The answer with masks for whatever is sensitive by its name or by the settings, and within every other text.

    A body that is a text and no JSON is one mask: nobody knows what stands in it. Keys that are data are masked too.
    Whoever stores answers stores these. Two masked answers under one key are equal where the answers were, but for
    numbers that lost their tolerance with their value.
    """
    body = as_json(answer)
    root = tree.root
    return Answer(
        status=answer["status"],
        headers={name: _header(name, value, root.child(HEADERS), masker) for name, value in answer["headers"].items()},
        body=masker.value(BODY, answer["body"]) if body is MISSING else _value(body, root.child(BODY), masker),
        ms=answer["ms"],
    )


def _header(name: str, value: str | list[str], headers: Field, masker: Masker) -> str | list[str]:
    field = headers.child(name.lower())
    if isinstance(value, list):
        return [_text(each, field, masker) for each in value]
    return _text(value, field, masker)


def _value(value: Any, field: Field, masker: Masker) -> Any:
    if isinstance(value, dict):
        return {
            key if field.child(key).parts[-1] != ANY else masker.value(field.path, key): _value(
                inner, field.child(key), masker
            )
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_value(inner, field.entry, masker) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, field, masker)
    if field.rule.sensitive:
        return masker.value(field.path, value)
    return str(value) if isinstance(value, Decimal) else value  # as a number it would lose digits where it is stored


def _text(value: str, field: Field, masker: Masker) -> str:
    return masker.value(field.path, value) if field.rule.sensitive else masker.text(value)
