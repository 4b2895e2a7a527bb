"""Applications that tags name: `Application=Shop`, `app: shop`."""

import re
from collections.abc import Iterable, Iterator

KEYS = ("application", "applicationname", "app", "appname", "workload", "system")
"""In this order: what a server's tags say under the first of them counts."""
_TAG = re.compile(r"\s*(?P<key>[^=:]+?)\s*[=:]\s*(?P<value>.+?)\s*")
_NOT_LETTERS = re.compile(r"[^a-z]")


def tagged(tags: Iterable[str]) -> tuple[str, str] | None:
    """The tag and the application that it names; None if none does, or if two of one key contradict each other."""
    told = list(_pairs(tags))
    for key in KEYS:
        named = [(tag, value) for tag, found, value in told if found == key]
        if len({value.casefold() for _, value in named}) == 1:
            return named[0]
        if named:
            return None
    return None


def values_of(tags: Iterable[str], keys: Iterable[str]) -> set[str]:
    """All that tags say under any of the keys, in small letters."""
    wanted = set(keys)
    return {value.casefold() for _, key, value in _pairs(tags) if key in wanted}


def _pairs(tags: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The tag, its key by small letters alone and without what stands before a slash, and its value."""
    for tag in tags:
        if match := _TAG.fullmatch(tag):
            yield tag, _NOT_LETTERS.sub("", match["key"].casefold().rpartition("/")[2]), match["value"]
