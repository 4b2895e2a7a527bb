"""Headings of columns, whatever a tool's version or a person makes of their spelling."""

import re
import unicodedata
from collections.abc import Sequence

_SIGNS = str.maketrans({"%": "pct", "&": "and"})


def known_by(heading: str) -> str:
    """What a heading is known by: letters and digits alone. 'Source IP', source_ip and sourceIp are one."""
    plain = unicodedata.normalize("NFKD", heading).translate(_SIGNS).casefold()
    return re.sub(r"[^a-z0-9]", "", plain)


def places_of(headings: Sequence[str]) -> dict[str, int]:
    """Where each heading stands, by what it is known by; of one that stands twice the first counts."""
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        if name := known_by(heading):
            places.setdefault(name, place)
    return places
