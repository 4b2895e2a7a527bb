"""Partners for the entries of two lists without order, where 'equal' has a tolerance and so is not transitive."""

from collections.abc import Callable
from typing import Any


def unmatched(left: list[Any], right: list[Any], equal: Callable[[Any, Any], bool]) -> tuple[list[Any], list[Any]]:
    """What stays alone on each side when as many entries as possible have found a partner that equals them.

    Taking the first that fits would leave entries alone that another choice gives a partner.
    Source: augmenting paths; Kuhn 1955, Berge 1957.
    """
    fitting = [[at for at, other in enumerate(right) if equal(entry, other)] for entry in left]
    partner: dict[int, int] = {}  # by place on the right
    alone = [entry for at, entry in enumerate(left) if not _placed(at, fitting, partner, set())]
    return alone, [entry for at, entry in enumerate(right) if at not in partner]


def _placed(at: int, fitting: list[list[int]], partner: dict[int, int], tried: set[int]) -> bool:
    for place in fitting[at]:
        if place in tried:
            continue
        tried.add(place)
        if place not in partner or _placed(partner[place], fitting, partner, tried):
            partner[place] = at
            return True
    return False
