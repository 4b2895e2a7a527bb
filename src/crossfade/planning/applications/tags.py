"""Applications that tags name: `Application=Shop`, `app: shop`."""

import re
from collections.abc import Iterable

KEYS = ("application", "applicationname", "app", "appname", "workload", "system")
"""In this order: what a server's tags say under the first of them counts."""
_TAG = re.compile(r"\s*(?P<key>[^=:]+?)\s*[=:]\s*(?P<value>.+?)\s*")
_NOT_LETTERS = re.compile(r"[^a-z]")


def tagged(tags: Iterable[str]) -> tuple[str, str] | None:
    """The tag and the application that it names; None if none does, or if two of one key contradict each other."""
    by_key: dict[str, list[tuple[str, str]]] = {}
    for tag in tags:
        if match := _TAG.fullmatch(tag):
            key = _NOT_LETTERS.sub("", match["key"].casefold().rpartition("/")[2])
            by_key.setdefault(key, []).append((tag, match["value"]))
    for key in KEYS:
        told = by_key.get(key, [])
        if len({value.casefold() for _, value in told}) == 1:
            return told[0]
        if told:
            return None
    return None
