"""Answer against answer: status, headers, body."""

from typing import Any

from crossfade.shadow.fields import MISSING, FieldTree
from crossfade.shadow.pair import Answer
from crossfade.shadow.paths import BODY, HEADERS, STATUS
from crossfade.shadow.reading import NotJson, read_json
from crossfade.shadow.structure import Found, differences

_CONTENT_TYPE = "content-type"


def compare(control: Answer, other: Answer, tree: FieldTree) -> Found:
    """Where another answer differs from the control's, by the rules of the tree; empty if nowhere.

    Bodies that are JSON are compared by structure, all others, also those that claim to be JSON and are not, by bytes.
    """
    found: Found = {}
    if control["status"] != other["status"]:
        found[tree.root.child(STATUS)] = (control["status"], other["status"])
    if control["headers"] != other["headers"]:
        ignored = tree.rules.ignored_headers
        left, right = _headers(control, ignored), _headers(other, ignored)
        differences(left, right, tree.root.child(HEADERS), tree.rules, found)
    if control["body"] is not other["body"]:
        _bodies(control, other, tree, found)
    return found


def _bodies(control: Answer, other: Answer, tree: FieldTree, found: Found) -> None:
    left, right = control["body"], other["body"]
    field = tree.root.child(BODY)
    if isinstance(left, str) or isinstance(right, str):
        if left == right:
            return
        read, also_read = as_json(control), as_json(other)
        if read is MISSING or also_read is MISSING:
            differences(left, right, field, tree.rules, found)
            return
        left, right = read, also_read
    before = len(found)
    try:
        differences(left, right, field, tree.rules, found)
    except RecursionError:  # lists without order in lists without order, very deep
        if len(found) == before:
            found[field] = (left, right)


def as_json(answer: Answer) -> Any:
    """The body as JSON; MISSING where it is another text. Without a content type a brace or bracket tells JSON."""
    body = answer["body"]
    if not isinstance(body, str):
        return body
    kind = _content_type(answer)
    if "json" in kind or (not kind and body.lstrip()[:1] in {"{", "["}):
        try:
            return read_json(body.encode("utf-8", "surrogatepass"))
        except NotJson:
            return MISSING
    return MISSING


def _content_type(answer: Answer) -> str:
    headers = answer["headers"]
    value = headers.get(_CONTENT_TYPE)  # proxies that speak HTTP/2 write it so
    if value is None:
        value = next((value for name, value in headers.items() if name.lower() == _CONTENT_TYPE), "")
    return ",".join(value).lower() if isinstance(value, list) else value.lower()


def _headers(answer: Answer, ignored: frozenset[str]) -> dict[str, Any]:
    """Names in lower case (RFC 9110, 5.1), values as one text: several of one name are as one with commas."""
    merged: dict[str, list[str]] = {}
    for name, value in answer["headers"].items():
        lower = name.lower()
        if lower not in ignored:
            merged.setdefault(lower, []).extend(value if isinstance(value, list) else [value])
    return {name: ", ".join(values) for name, values in merged.items()}
