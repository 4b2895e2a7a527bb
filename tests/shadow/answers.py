"""Answers and comparisons for the tests, in a line each."""

import json
from typing import Any

from crossfade.shadow import Answer, Comparer, Comparison, FieldTree, Masker, Pair, Rules, ShadowSettings
from crossfade.shadow.answers import compare

KEY = b"a key for tests, 32 bytes long.."
MASKER = Masker(key=KEY)
JSON: dict[str, str | list[str]] = {"content-type": "application/json"}


def answer(
    body: Any, *, status: int = 200, headers: dict[str, str | list[str]] | None = None, ms: float = 10.0
) -> Answer:
    return Answer(status=status, headers=JSON if headers is None else headers, body=body, ms=ms)


def settings(**told: Any) -> ShadowSettings:
    return ShadowSettings.model_validate_json(json.dumps(told))


def differing(left: Any, right: Any, **told: Any) -> set[str]:
    """The paths in which two bodies differ, once from either side."""
    return differing_answers(answer(left), answer(right), **told)


def differing_answers(left: Answer, right: Answer, **told: Any) -> set[str]:
    tree = FieldTree(Rules.of(settings(**told)))
    found = {field.path for field in compare(left, right, tree)}
    assert {field.path for field in compare(right, left, tree)} == found
    return found


def pair(control: Any, candidate: Any, again: Any = None, *, name: str = "r") -> Pair:
    """A pair of bodies; without `again` the control was asked once."""
    made = Pair(id=name, control=answer(control), candidate=answer(candidate))
    if again is not None:
        made["control_again"] = answer(again)
    return made


def compared(pairs: list[Pair], **told: Any) -> Comparison:
    comparer = Comparer(settings(**told), MASKER)
    for line, each in enumerate(pairs, start=1):
        comparer.add(each, line)
    return comparer.result()
