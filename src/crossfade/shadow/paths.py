"""Places in an answer: `status`, `headers.content-type`, `body.items.*.price`; and patterns over them."""

import re
from functools import lru_cache

Parts = tuple[str, ...]

ANY, DEEP = "*", "**"
STATUS, HEADERS, BODY = "status", "headers", "body"

_NAME = re.compile(r"[@$]?[A-Za-z_][A-Za-z0-9_-]{0,39}")
_MOST_DIGITS = 4


@lru_cache(maxsize=1024)
def name_of(key: str) -> str:
    """The key of an object as it may be shown, or `*` if it looks like data: an e-mail address, a number, a UUID.

    A name begins with a letter, has at most 41 letters, digits, hyphens and underscores, and at most 4 digits.
    """
    named = _NAME.fullmatch(key) and sum(letter.isdigit() for letter in key) <= _MOST_DIGITS
    return key if named else ANY


def parts_of(path: str) -> Parts:
    """A path as a person writes it, from the root of the answer: what names neither `headers` nor `body` is the body's.

    So `customer.email`, `body.customer.email` and what a result names are the same place.
    """
    parts = tuple(path.split("."))
    return parts if parts[0] in {HEADERS, BODY} else (BODY, *parts)


def matches(pattern: Parts, parts: Parts) -> bool:
    """Whether the whole of `parts` fits: `*` is any one part (also one of a list), `**` any number of parts or none."""
    if not pattern:
        return not parts
    if pattern[0] == DEEP:
        return any(matches(pattern[1:], parts[at:]) for at in range(len(parts) + 1))
    return bool(parts) and pattern[0] in {ANY, parts[0]} and matches(pattern[1:], parts[1:])
